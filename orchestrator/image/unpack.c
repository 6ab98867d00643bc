/* The one pass over the bootstrap's archive: filter, hash, write, note in the tree. */
#include "image/unpack.h"

#include <string.h>

#include "base/path.h"
#include "base/str.h"
#include "external/archive_read.h"
#include "external/crypto.h"
#include "host/fs.h"

static const char dpkg_status[] = "var/lib/dpkg/status";

static int take_file(struct image_unpack *unpack, struct unarchive *archive, const char *path,
                     const struct unarchive_entry *entry, struct err *err)
{
	struct buf *keep = str_eq(path, dpkg_status) ? unpack->status : NULL;
	struct image_node *node;
	struct blob_ref ref;
	int fd = -1;

	if (unpacker_open_file(unpack->unpacker, path, (entry->mode & 0111) != 0, &fd, err) < 0)
		return -1;
	if (unarchive_copy(archive, fd, path, UINT64_MAX, keep, &ref, err) < 0) {
		fs_close(fd);
		return -1;
	}
	if (unpacker_close_file(unpack->unpacker, path, fd, err) < 0)
		return -1;
	node = image_tree_add(unpack->tree, path, 'f');
	node->mode = entry->mode;
	node->uid = entry->uid;
	node->gid = entry->gid;
	node->ref = ref;
	return 0;
}

static int take_hard_link(struct image_unpack *unpack, const struct unarchive_entry *entry,
                          struct err *err)
{
	const struct image_node *from = image_tree_find(unpack->tree, entry->target);
	struct image_node copy;
	struct image_node *node;

	if (!from || from->kind != 'f')
		return err_set(err, ERR_INPUT,
		               "%s is another name of %s, which is no file of the "
		               "image",
		               entry->path, entry->target);
	copy = *from;
	if (unpacker_hard_link(unpack->unpacker, entry->path, entry->target, err) < 0)
		return -1;
	node = image_tree_add(unpack->tree, entry->path, 'f');
	node->mode = copy.mode;
	node->uid = copy.uid;
	node->gid = copy.gid;
	node->ref = copy.ref;
	return 0;
}

static int take_plain(struct image_unpack *unpack, const struct unarchive_entry *entry,
                      struct err *err)
{
	bool dir = entry->kind == UNARCHIVE_DIR;
	struct image_node *node;

	if (dir ? unpacker_dir(unpack->unpacker, entry->path, err) < 0 :
	          unpacker_link(unpack->unpacker, entry->path, entry->target, err) < 0)
		return -1;
	node = image_tree_add(unpack->tree, entry->path, dir ? 'd' : 'l');
	node->mode = dir ? entry->mode : 0777;
	node->uid = entry->uid;
	node->gid = entry->gid;
	node->target = dir ? NULL : str_dup(entry->target);
	return 0;
}

static int take_entry(struct image_unpack *unpack, struct unarchive *archive,
                      const struct unarchive_entry *entry, struct err *err)
{
	if (!*entry->path)
		return unpacker_dir(unpack->unpacker, "", err);
	if (image_rule_for(entry->path) == IMAGE_DROP)
		return 0;
	switch (entry->kind) {
	case UNARCHIVE_FILE:
		return take_file(unpack, archive, entry->path, entry, err);
	case UNARCHIVE_HARD_LINK:
		return take_hard_link(unpack, entry, err);
	case UNARCHIVE_DIR:
	case UNARCHIVE_LINK:
		return take_plain(unpack, entry, err);
	case UNARCHIVE_OTHER:
		break;
	}
	return 0;
}

int image_unpack_tar(struct image_unpack *unpack, int fd, const char *what, struct err *err)
{
	struct unarchive *archive;
	struct unarchive_entry entry;
	int rc;

	if (unarchive_open(fd, what, &archive, err) < 0)
		return -1;
	while ((rc = unarchive_next(archive, &entry, err)) == 0) {
		if (take_entry(unpack, archive, &entry, err) < 0) {
			rc = -1;
			break;
		}
		work_goes_on(unpack->work);
	}
	unarchive_free(archive);
	return rc < 0 ? -1 : 0;
}

int image_unpack_deb_file(struct image_unpack *unpack, int deb_fd, const char *what,
                          const char *path, const char *to, struct err *err)
{
	struct unarchive *archive;
	struct unarchive_entry entry;
	int rc;

	if (image_tree_find(unpack->tree, to) || image_rule_for(to) == IMAGE_DROP)
		return err_set(err, ERR_INPUT,
		               "%s of %s cannot stand at %s: the image has that path "
		               "already",
		               path, what, to);
	if (unarchive_open_deb(deb_fd, what, "data.tar", &archive, err) < 0)
		return -1;
	while ((rc = unarchive_next(archive, &entry, err)) == 0)
		if (str_eq(entry.path, path))
			break;
	if (rc == UNARCHIVE_END)
		rc = err_set(err, ERR_INPUT, "the package %s has no file %s", what, path);
	else if (rc == 0 && entry.kind != UNARCHIVE_FILE)
		rc = err_set(err, ERR_INPUT, "%s in the package %s is no plain file", path, what);
	if (rc == 0) {
		entry.mode = entry.mode & 0111 ? 0755 : 0644;
		entry.uid = entry.gid = 0;
		rc = take_file(unpack, archive, to, &entry, err);
	}
	unarchive_free(archive);
	return rc < 0 ? -1 : 0;
}

static int add_fixed_file(struct image_unpack *unpack, const struct image_fixed *fixed,
                          struct err *err)
{
	size_t n = strlen(fixed->text);
	struct image_node *node;
	int fd = -1;

	if (unpacker_open_file(unpack->unpacker, fixed->path, false, &fd, err) < 0)
		return -1;
	if (fs_write_all(fd, fixed->text, n, fixed->path, err) < 0) {
		fs_close(fd);
		return -1;
	}
	if (unpacker_close_file(unpack->unpacker, fixed->path, fd, err) < 0)
		return -1;
	node = image_tree_add(unpack->tree, fixed->path, 'f');
	node->mode = 0644;
	node->uid = node->gid = 0;
	digest_of(fixed->text, n, &node->ref.digest);
	node->ref.size = n;
	return 0;
}

/* Folders that files were put into without an entry of their own ("to" of a file). */
static int add_dir(struct image_unpack *unpack, const char *path, struct err *err)
{
	struct image_node *node = image_tree_find(unpack->tree, path);

	if (unpacker_dir(unpack->unpacker, path, err) < 0)
		return -1;
	if (!node) {
		node = image_tree_add(unpack->tree, path, 'd');
		node->mode = 0755;
	}
	return 0;
}

static int add_missing_parents(struct image_unpack *unpack, struct err *err)
{
	size_t n = unpack->tree->nodes.n;

	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *path = str_dup(unpack->tree->nodes.v[i].path);
		char *slash;

		while ((slash = strrchr(path, '/'))) {
			*slash = '\0';
			if (image_tree_find(unpack->tree, path))
				break;
			if (add_dir(unpack, path, err) < 0)
				return -1;
		}
	}
	return 0;
}

int image_unpack_fixed(struct image_unpack *unpack, struct err *err)
{
	for (const struct image_fixed *fixed = image_fixed; fixed->path; fixed++) {
		int rc = fixed->text ? add_fixed_file(unpack, fixed, err) :
		                       add_dir(unpack, fixed->path, err);

		if (rc < 0)
			return -1;
	}
	return add_missing_parents(unpack, err);
}
