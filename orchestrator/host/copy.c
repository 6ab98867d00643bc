/* One level is two descriptors, so depth is bounded. */
#include "host/copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/failpoint.h"
#include "host/fs.h"

enum { DEPTH_MOST = 200 };

static int cannot_copy(const char *name, struct err *err)
{
	return err_sys(err, ERR_IO, "cannot copy %s", name);
}

/* Owner, mode and times of what was copied; modes without setuid. */
static int copy_about(int fd, const struct stat *st, const char *name, struct err *err)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };

	if (fchown(fd, st->st_uid, st->st_gid) < 0 || fchmod(fd, st->st_mode & 0777) < 0 ||
	    futimens(fd, times) < 0)
		return cannot_copy(name, err);
	return 0;
}

static int copy_file(int from_dir, int to_dir, const char *name, const struct stat *st,
                     struct err *err)
{
	_cleanup_fd_ int from = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_fd_ int to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (failpoint("copy-file") || from < 0 || to < 0)
		return cannot_copy(name, err);
	return fs_copy_fd(from, to, name, err) < 0 ? -1 : copy_about(to, st, name, err);
}

static int copy_link(int from_dir, int to_dir, const char *name, const struct stat *st,
                     struct err *err)
{
	_cleanup_free_ char *text = NULL;

	if (fs_read_link(from_dir, name, &text, err) < 0)
		return -1;
	if (symlinkat(text, to_dir, name) < 0 ||
	    fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return cannot_copy(name, err);
	return 0;
}

static int copy_folder(int from, int to, int depth, struct err *err);

static int copy_sub(int from_dir, int to_dir, const char *name, const struct stat *st, int depth,
                    struct err *err)
{
	_cleanup_fd_ int from = -1, to = -1;

	if (depth == DEPTH_MOST)
		return err_set(err, ERR_IO, "%s lies too deep", name);
	if (mkdirat(to_dir, name, 0700) < 0)
		return cannot_copy(name, err);
	from = openat(from_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	to = openat(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (from < 0 || to < 0)
		return cannot_copy(name, err);
	return copy_folder(from, to, depth, err) < 0 ? -1 : copy_about(to, st, name, err);
}

/* What is no file, link or folder is left out. */
static int copy_entry(int from, int to, const char *name, int depth, struct err *err)
{
	struct stat st;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return cannot_copy(name, err);
	switch (st.st_mode & S_IFMT) {
	case S_IFREG:
		return copy_file(from, to, name, &st, err);
	case S_IFLNK:
		return copy_link(from, to, name, &st, err);
	case S_IFDIR:
		return copy_sub(from, to, name, &st, depth + 1, err);
	default:
		return 0;
	}
}

static int copy_folder(int from, int to, int depth, struct err *err)
{
	struct fs_names list = { 0 };
	int rc = fs_must(fs_list(from, ".", &list, err), "a folder", err);

	for (size_t i = 0; rc == 0 && i < list.names.n; i++)
		rc = copy_entry(from, to, list.names.v[i], depth, err);
	fs_names_deinit(&list);
	return rc;
}

int copy_tree(int from, int to, struct err *err)
{
	struct stat st;

	if (fstat(from, &st) < 0)
		return cannot_copy("a folder", err);
	return copy_folder(from, to, 0, err) < 0 ? -1 : copy_about(to, &st, "a folder", err);
}
