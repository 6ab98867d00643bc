/* Writes an image into one tar file, aside and renamed. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"
#include "external/archive.h"
#include "host/failpoint.h"
#include "host/fs.h"
#include "image/bundle.h"
#include "image/place.h"
#include "image/section.h"
#include "image/tree.h"

enum { MANIFEST_MOST = 256 << 20, HEAD_MOST = 16 << 20, EXPORT_MTIME = 315532800 };

struct export
{
	struct store *store;
	json_t *info; /* the completion marker */
	struct image_section section;
	struct buf manifest;
	struct archive_writer *writer;
};

static int add_head(struct export *export, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(HEAD_MOST);
	_cleanup_json_ json_t *head = json_object();
	static const char *const kept[] = { "name", "architecture", "container", "lock" };

	json_object_set_new(head, "schema", json_string("kiln.image.export/1"));
	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		json_object_set(head, kept[i], json_object_get(export->info, kept[i]));
	json_write_pretty(head, &text);
	if (archive_writer_file(export->writer, "kiln-image.json", 0644, EXPORT_MTIME,
	                        buf_text(&text), text.n, err) < 0)
		return -1;
	return archive_writer_file(export->writer, "manifest", 0644, EXPORT_MTIME,
	                           buf_text(&export->manifest), export->manifest.n, err);
}

static int add_packages(struct export *export, const struct debs *debs, struct err *err)
{
	for (size_t i = 0; i < debs->list.n; i++) {
		const struct deb *deb = &debs->list.v[i];
		_cleanup_free_ char *name =
			str_fmt("packages/%s.deb", DIGEST_TEXT(&deb->ref.digest));
		const struct archive_member member = {
			.name = name, .mode = 0644, .mtime = EXPORT_MTIME, .size = deb->ref.size
		};
		_cleanup_fd_ int fd = -1;
		int rc = blobs_open_fd(store_blobs(export->store), &deb->ref, &fd, err);

		if (rc == BLOBS_MISS)
			return err_set(err, ERR_IO, "the package %s %s is no longer in the store",
			               deb->name, deb->version);
		if (rc < 0 || archive_writer_add(export->writer, &member, err) < 0 ||
		    archive_writer_copy(export->writer, fd, name, err) < 0)
			return -1;
	}
	return 0;
}

static int add_node(struct export *export, int root, const struct image_node *node, struct err *err)
{
	_cleanup_free_ char *name = str_fmt("root/%s", node->path);
	const struct archive_member member = {
		.name = name,
		.kind = node->kind == 'd' ? ARCHIVE_DIR :
		        node->kind == 'l' ? ARCHIVE_LINK :
		                            ARCHIVE_FILE,
		.mode = node->kind == 'd' || (node->mode & 0111) ? 0755 : 0644,
		.mtime = EXPORT_MTIME,
		.size = node->kind == 'f' ? node->ref.size : 0,
		.link = node->target,
	};
	_cleanup_fd_ int fd = -1;

	if (archive_writer_add(export->writer, &member, err) < 0)
		return -1;
	if (node->kind != 'f')
		return 0;
	if (fs_open_beneath(root, node->path, O_RDONLY, 0, true, &fd, err) != 0)
		return err_set(err, ERR_IO, "%s is missing in the unpacked image", node->path);
	return archive_writer_copy(export->writer, fd, name, err);
}

static int add_tree(struct export *export, const struct digest *digest, struct err *err)
{
	_cleanup_free_ char *path = image_place_root(export->store, digest);
	_cleanup_fd_ int root = -1;
	struct image_tree tree;
	int rc;

	if (fs_must(fs_open_dir(AT_FDCWD, path, &root, err), path, err) < 0)
		return -1;
	image_tree_init(&tree);
	rc = image_tree_parse(&tree, buf_str(&export->manifest), "manifest", err);
	for (size_t i = 0; rc == 0 && i < tree.nodes.n; i++)
		rc = add_node(export, root, &tree.nodes.v[i], err);
	image_tree_deinit(&tree);
	return rc;
}

static int read_image(struct export *export, const struct digest *tree, struct err *err)
{
	struct blob_ref manifest = { 0 };
	int rc;

	export->info = image_place_info(export->store, tree);
	if (!export->info)
		return err_set(err, ERR_INPUT, "the store has no image sha256:%s",
		               DIGEST_TEXT(tree));
	digest_parse(json_str_or(export->info, "manifest", ""), &manifest.digest);
	manifest.size =
		(uint64_t)json_integer_value(json_object_get(export->info, "manifest_size"));
	rc = blobs_read(store_blobs(export->store), &manifest, &export->manifest, err);
	if (rc == BLOBS_MISS)
		return err_set(err, ERR_IO,
		               "the manifest of image sha256:%s is no longer in the store",
		               DIGEST_TEXT(tree));
	return rc < 0 ? -1 :
	                image_section_read(&export->section, NULL,
	                                   json_object_get(export->info, "lock"),
	                                   "the image's completion marker", err);
}

static int write_all(struct export *export, const struct digest *tree, bool with_tree, int fd,
                     const char *path, struct err *err)
{
	int rc;

	export->writer = archive_writer_new(fd, ARCHIVE_PAX_BYTES, path);
	rc = add_head(export, err);
	if (rc == 0)
		rc = add_packages(export, &export->section.packages, err);
	if (rc == 0)
		rc = add_packages(export, &export->section.files, err);
	if (rc == 0 && with_tree)
		rc = add_tree(export, tree, err);
	if (rc == 0)
		rc = archive_writer_finish(export->writer, err);
	archive_writer_free(export->writer);
	if (rc == 0 && (failpoint("export-sync") || fsync(fd) < 0))
		rc = err_sys(err, ERR_IO, "cannot make %s durable", path);
	return rc;
}

/* Renaming a file over a device or a link would take it away from everybody. */
static int check_place(const char *path, struct err *err)
{
	struct stat st;

	if (lstat(path, &st) < 0 || S_ISREG(st.st_mode))
		return 0;
	err_set(err, ERR_USAGE, "%s is no regular file", path);
	return err_hint(err, "name a file that is not there yet, or one that may be replaced");
}

/* A file without a name, where the file system has them: whatever happens, nothing of it is left. */
static int open_aside(const char *path, const char *temp, int *ret_fd, bool *ret_named,
                      struct err *err)
{
	_cleanup_free_ char *dir = path_dir(path);
	int fd = open(dir, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644);

	*ret_named = fd < 0;
	if (fd < 0)
		fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_sys(err, ERR_IO, "cannot create %s", temp);
	(void)flock(fd, LOCK_EX | LOCK_NB);
	*ret_fd = fd;
	return 0;
}

static int put_in_place(int fd, bool named, const char *temp, const char *path, struct err *err)
{
	_cleanup_free_ char *self = str_fmt("/proc/self/fd/%d", fd);

	if (!named && (failpoint("export-link") ||
	               linkat(AT_FDCWD, self, AT_FDCWD, temp, AT_SYMLINK_FOLLOW) < 0))
		return err_sys(err, ERR_IO, "cannot create %s", temp);
	if (failpoint("export-rename") || rename(temp, path) < 0) {
		err_sys(err, ERR_IO, "cannot put %s in place", path);
		unlink(temp);
		return -1;
	}
	fs_sweep_temps(AT_FDCWD, path);
	return fs_sync_dir_of(AT_FDCWD, path, err);
}

static int write_file(struct export *export, const struct digest *tree, bool with_tree,
                      const char *path, struct err *err)
{
	_cleanup_free_ char *temp = fs_temp_name(path);
	_cleanup_fd_ int fd = -1;
	bool named;

	if (open_aside(path, temp, &fd, &named, err) < 0)
		return -1;
	if (write_all(export, tree, with_tree, fd, path, err) < 0) {
		if (named)
			unlink(temp);
		return -1;
	}
	return put_in_place(fd, named, temp, path, err);
}

int image_export(struct store *store, const struct digest *tree, bool with_tree, const char *path,
                 struct err *err)
{
	struct export export = { .store = store, .manifest = BUF_INIT(MANIFEST_MOST) };
	int rc = check_place(path, err);

	if (rc == 0)
		rc = read_image(&export, tree, err);
	if (rc == 0)
		rc = write_file(&export, tree, with_tree, path, err);
	buf_deinit(&export.manifest);
	image_section_deinit(&export.section);
	json_cleanup(&export.info);
	return rc < 0 ? err_while(err, "exporting an image to %s", path) : 0;
}
