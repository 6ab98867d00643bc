/*
 * The files of a package, collected and written as tar. Everything is collected before the first
 * byte is written: order comes from sorting whole paths, and plain ustar is used whenever every
 * member fits it, pax headers only for the archive that needs them.
 */
#include "package/members.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/path.h"
#include "host/failpoint.h"
#include "host/fs.h"

enum { DEPTH_MOST = 100, MEMBERS_MOST = 1000000, PATH_LEN_MOST = 4000 };

struct walk {
	struct package_members *members;
	const char *root;
	struct err *err;
};

void package_members_deinit(struct package_members *members)
{
	for (size_t i = 0; i < members->list.n; i++) {
		free(members->list.v[i].path);
		free(members->list.v[i].link);
	}
	array_deinit(&members->list);
}

static int cmp_member(const void *a, const void *b)
{
	const struct package_member *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static int add_link(struct walk *walk, struct package_member *member, int fd, const char *name)
{
	const char *root = walk->root;
	const char *at = member->path;

	if (fs_read_link(fd, name, &member->link, walk->err) < 0)
		return -1;
	if (root[0] && path_is_below(at, root) && at[strlen(root)] == '/')
		at += strlen(root) + 1;
	if (!path_link_leaves(at, member->link))
		return 0;
	err_set(walk->err, ERR_INPUT, "the link %s points to %s, outside the package", member->path,
	        member->link);
	return err_hint(walk->err, "make it relative and keep its target inside, or leave it out");
}

static int walk_folder(struct walk *walk, int fd, const char *path, int depth);

static int walk_name(struct walk *walk, int fd, const char *path, const char *name, int depth)
{
	struct package_member *member;
	_cleanup_free_ char *full = path_join(path, name);
	_cleanup_fd_ int below = -1;
	struct stat st;

	if (fs_stat(fd, name, &st, walk->err) != 0)
		return err_set(walk->err, ERR_IO, "%s vanished while it was packed", full);
	if (walk->members->list.n >= MEMBERS_MOST || strlen(full) > PATH_LEN_MOST)
		return err_set(walk->err, ERR_INPUT,
		               "too many files or too long a path to pack: %s", full);
	member = array_add(&walk->members->list);
	member->path = str_dup(full);
	if (S_ISREG(st.st_mode)) {
		member->kind = ARCHIVE_FILE;
		member->mode = st.st_mode & 0111 ? 0755 : 0644;
		member->size = (uint64_t)st.st_size;
		return 0;
	}
	if (S_ISLNK(st.st_mode)) {
		member->kind = ARCHIVE_LINK;
		member->mode = 0777;
		return add_link(walk, member, fd, name);
	}
	if (!S_ISDIR(st.st_mode))
		return err_set(walk->err, ERR_INPUT,
		               "%s is neither a file, a folder nor a link: it "
		               "cannot be packed",
		               full);
	member->kind = ARCHIVE_DIR;
	member->mode = 0755;
	if (fs_open_beneath(fd, name, O_RDONLY | O_DIRECTORY, 0, true, &below, walk->err) != 0)
		return err_set(walk->err, ERR_IO, "%s vanished while it was packed", full);
	return walk_folder(walk, below, full, depth + 1);
}

static int walk_folder(struct walk *walk, int fd, const char *path, int depth)
{
	struct fs_names names = { 0 };
	int rc;

	if (depth > DEPTH_MOST)
		return err_set(walk->err, ERR_INPUT, "%s is nested deeper than %d folders", path,
		               DEPTH_MOST);
	rc = fs_list(fd, ".", &names, walk->err);
	for (size_t i = 0; rc == 0 && i < names.names.n; i++)
		rc = walk_name(walk, fd, path, names.names.v[i], depth);
	fs_names_deinit(&names);
	return rc;
}

static int apply_modes(struct package_members *members, const json_t *modes, struct err *err)
{
	const char *path;
	json_t *value;

	json_object_foreach ((json_t *)modes, path, value) {
		struct package_member key = { .path = (char *)path };
		struct package_member *member = NULL;
		const char *mode = json_is_string(value) ? json_string_value(value) : "";

		if (members->list.n > 0)
			member = bsearch(&key, members->list.v, members->list.n, sizeof(key),
			                 cmp_member);
		if (!member || member->kind != ARCHIVE_FILE)
			return err_set(err, ERR_INPUT,
			               "a mode is given for %s, but the package has "
			               "no such file",
			               path);
		if (!str_eq(mode, "0644") && !str_eq(mode, "0755"))
			return err_set(err, ERR_INPUT,
			               "the mode of %s is \"%s\": a package knows "
			               "\"0644\" and \"0755\"",
			               path, mode);
		member->mode = str_eq(mode, "0755") ? 0755 : 0644;
	}
	return 0;
}

int package_members_read(int dirfd, const char *dir, const json_t *modes, const char *root,
                         struct package_members *ret, struct err *err)
{
	struct package_members members = { 0 };
	struct walk walk = { .members = &members, .root = root, .err = err };
	_cleanup_fd_ int fd = -1;
	int rc = fs_open_beneath(dirfd, dir, O_RDONLY | O_DIRECTORY, 0, true, &fd, err);

	if (rc > 0)
		return err_set(err, ERR_INPUT, "there is no folder %s to pack", dir);
	if (rc < 0)
		return -1;
	if (walk_folder(&walk, fd, "", 0) < 0) {
		package_members_deinit(&members);
		return -1;
	}
	array_sort(&members.list, cmp_member);
	if (members.list.n == 0)
		rc = err_set(err, ERR_INPUT, "the package would be empty");
	else
		rc = apply_modes(&members, modes, err);
	if (rc < 0) {
		package_members_deinit(&members);
		return -1;
	}
	*ret = members;
	return 0;
}

/* One entry for each member, and before them the top folder where the prefix is "./". */
struct entries {
	ARRAY(struct archive_member) list;
	ARRAY(char *) names; /* owned */
};

static void entries_deinit(struct entries *entries)
{
	for (size_t i = 0; i < entries->names.n; i++)
		free(entries->names.v[i]);
	array_deinit(&entries->names);
	array_deinit(&entries->list);
}

static struct entries entries_of(const struct package_members *members, const char *prefix,
                                 int64_t epoch)
{
	struct entries out = { 0 };

	if (str_eq(prefix, "./"))
		array_push(&out.list,
		           ((struct archive_member){ ".", ARCHIVE_DIR, 0755, epoch, 0, NULL }));
	for (size_t i = 0; i < members->list.n; i++) {
		const struct package_member *member = &members->list.v[i];
		char *name = str_fmt("%s%s", prefix, member->path);

		array_push(&out.names, name);
		array_push(&out.list, ((struct archive_member){ .name = name,
		                                                .kind = member->kind,
		                                                .mode = member->mode,
		                                                .mtime = epoch,
		                                                .size = member->size,
		                                                .link = member->link }));
	}
	return out;
}

static int write_entry(struct archive_writer *writer, int dirfd, const char *prefix,
                       const struct archive_member *entry, struct err *err)
{
	const char *path = entry->name + strlen(prefix);
	_cleanup_fd_ int fd = -1;

	if (archive_writer_add(writer, entry, err) < 0)
		return -1;
	if (entry->kind != ARCHIVE_FILE)
		return 0;
	if (fs_open_beneath(dirfd, path, O_RDONLY, 0, true, &fd, err) != 0)
		return err_set(err, ERR_IO, "%s vanished while it was packed", path);
	return archive_writer_copy(writer, fd, path, err);
}

static int write_entries(const struct entries *entries, int dirfd, const char *prefix,
                         enum members_reader reader, int to, const char *out, struct err *err)
{
	enum archive_format plainest = archive_tar_format(entries->list.v, entries->list.n);
	enum archive_format format =
		plainest != ARCHIVE_USTAR && reader == MEMBERS_DPKG ? ARCHIVE_GNU : plainest;
	struct archive_writer *writer = archive_writer_new(to, format, out);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < entries->list.n; i++)
		rc = write_entry(writer, dirfd, prefix, &entries->list.v[i], err);
	if (rc == 0)
		rc = archive_writer_finish(writer, err);
	archive_writer_free(writer);
	return rc;
}

int package_members_tar(int dirfd, const char *dir, const struct package_members *members,
                        const char *prefix, int64_t epoch, enum members_reader reader,
                        const char *out, struct err *err)
{
	_cleanup_fd_ int from = -1;
	_cleanup_fd_ int to = -1;
	struct entries entries;
	int rc;

	if (fs_open_beneath(dirfd, dir, O_RDONLY | O_DIRECTORY, 0, true, &from, err) != 0)
		return err_set(err, ERR_IO, "%s vanished while it was packed", dir);
	if (!failpoint("package-create"))
		to = openat(dirfd, out, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		            0644);
	if (to < 0)
		return err_sys(err, ERR_IO, "cannot create %s", out);
	entries = entries_of(members, prefix, epoch);
	rc = write_entries(&entries, from, prefix, reader, to, out, err);
	entries_deinit(&entries);
	return rc;
}
