/*
 * Unpacking by descriptor: the parent of each entry is opened beneath the root without following
 * any symlink, and kept open while entries of the same folder follow.
 */
#include "source/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"
#include "host/failpoint.h"
#include "host/fs.h"

void unpacker_init(struct unpacker *unpacker, int root, int64_t uid, int64_t gid, int64_t mtime)
{
	*unpacker = (struct unpacker){
		.root = root, .uid = uid, .gid = gid, .mtime = mtime, .parent_fd = -1
	};
}

void unpacker_deinit(struct unpacker *unpacker)
{
	unpacker->parent_fd = fs_close(unpacker->parent_fd);
	free(unpacker->parent);
	unpacker->parent = NULL;
	for (size_t i = 0; i < unpacker->dirs.n; i++)
		free(unpacker->dirs.v[i]);
	array_deinit(&unpacker->dirs);
}

static int set_owner(struct unpacker *unpacker, int dirfd, const char *name, const char *path,
                     struct err *err)
{
	if (unpacker->uid < 0)
		return 0;
	if (fchownat(dirfd, name, (uid_t)unpacker->uid, (gid_t)unpacker->gid, AT_SYMLINK_NOFOLLOW) <
	    0)
		return err_sys(err, ERR_IO, "cannot set the owner of %s", path);
	return 0;
}

/* Opens a folder beneath the root and keeps it as the current parent. */
static int enter(struct unpacker *unpacker, const char *path, struct err *err)
{
	int fd = -1, rc;

	if (unpacker->parent && str_eq(unpacker->parent, path))
		return 0;
	rc = fs_open_beneath(unpacker->root, *path ? path : ".", O_RDONLY | O_DIRECTORY, 0, true,
	                     &fd, err);
	if (rc < 0)
		return -1;
	if (rc == FS_MISSING) {
		_cleanup_free_ char *missing = str_dup(path);

		if (unpacker_dir(unpacker, missing, err) < 0)
			return -1;
		rc = fs_open_beneath(unpacker->root, missing, O_RDONLY | O_DIRECTORY, 0, true, &fd,
		                     err);
		if (rc)
			return rc < 0 ? -1 : err_set(err, ERR_INPUT, "%s is not a folder", missing);
	}
	fs_close(unpacker->parent_fd);
	unpacker->parent_fd = fd;
	free(unpacker->parent);
	unpacker->parent = str_dup(path);
	return 0;
}

static int enter_parent(struct unpacker *unpacker, const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *parent = str_dup_n(path, slash ? (size_t)(slash - path) : 0);

	return enter(unpacker, parent, err);
}

int unpacker_dir(struct unpacker *unpacker, const char *path, struct err *err)
{
	const char *name = path_base(path);
	struct stat st;

	if (*path && enter_parent(unpacker, path, err) < 0)
		return -1;
	if (*path && (failpoint("unpack-folder") || mkdirat(unpacker->parent_fd, name, 0755) < 0)) {
		if (errno != EEXIST)
			return err_sys(err, ERR_IO, "cannot make the folder %s", path);
		if (fstatat(unpacker->parent_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return err_sys(err, ERR_IO, "cannot look at %s", path);
		if (S_ISDIR(st.st_mode))
			return 0;
		return err_set(err, ERR_INPUT, "%s is both a folder and something else", path);
	}
	array_push(&unpacker->dirs, str_dup(path));
	if (*path && fchmodat(unpacker->parent_fd, name, 0755, 0) < 0)
		return err_sys(err, ERR_IO, "cannot set the mode of %s", path);
	return *path ? set_owner(unpacker, unpacker->parent_fd, name, path, err) :
	               set_owner(unpacker, unpacker->root, ".", "the tree's folder", err);
}

/* Makes room for an entry that is no folder. */
static int clear_way(struct unpacker *unpacker, const char *path, struct err *err)
{
	if (!*path)
		return err_set(err, ERR_INPUT, "the root of a tree is not a folder");
	if (enter_parent(unpacker, path, err) < 0)
		return -1;
	if (unlinkat(unpacker->parent_fd, path_base(path), 0) < 0 && errno != ENOENT)
		return errno == EISDIR || errno == EPERM ?
		               err_set(err, ERR_INPUT, "%s is both a folder and something else",
		                       path) :
		               err_sys(err, ERR_IO, "cannot replace %s", path);
	return 0;
}

int unpacker_open_file(struct unpacker *unpacker, const char *path, bool executable, int *ret_fd,
                       struct err *err)
{
	int fd;

	if (clear_way(unpacker, path, err) < 0)
		return -1;
	fd = openat(unpacker->parent_fd, path_base(path),
	            O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(err, ERR_IO, "cannot create %s", path);
	if (failpoint("unpack-mode") || fchmod(fd, executable ? 0755 : 0644) < 0) {
		fs_close(fd);
		return err_sys(err, ERR_IO, "cannot set the mode of %s", path);
	}
	*ret_fd = fd;
	return 0;
}

int unpacker_close_file(struct unpacker *unpacker, const char *path, int fd, struct err *err)
{
	const struct timespec times[2] = { { .tv_sec = unpacker->mtime },
		                           { .tv_sec = unpacker->mtime } };
	int rc = 0;

	if (unpacker->uid >= 0 && fchown(fd, (uid_t)unpacker->uid, (gid_t)unpacker->gid) < 0)
		rc = err_sys(err, ERR_IO, "cannot set the owner of %s", path);
	if (rc == 0 && (failpoint("unpack-time") || futimens(fd, times) < 0))
		rc = err_sys(err, ERR_IO, "cannot set the time of %s", path);
	if (close(fd) < 0 && rc == 0)
		rc = err_sys(err, ERR_IO, "cannot write %s", path);
	return rc;
}

static int set_link_times(struct unpacker *unpacker, const char *path, struct err *err)
{
	const struct timespec times[2] = { { .tv_sec = unpacker->mtime },
		                           { .tv_sec = unpacker->mtime } };

	if (utimensat(unpacker->parent_fd, path_base(path), times, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, ERR_IO, "cannot set the time of %s", path);
	return 0;
}

int unpacker_link(struct unpacker *unpacker, const char *path, const char *target, struct err *err)
{
	if (clear_way(unpacker, path, err) < 0)
		return -1;
	if (failpoint("unpack-link") || symlinkat(target, unpacker->parent_fd, path_base(path)) < 0)
		return err_sys(err, ERR_IO, "cannot make the link %s", path);
	if (set_owner(unpacker, unpacker->parent_fd, path_base(path), path, err) < 0)
		return -1;
	return set_link_times(unpacker, path, err);
}

int unpacker_hard_link(struct unpacker *unpacker, const char *path, const char *target,
                       struct err *err)
{
	_cleanup_free_ char *dir = path_dir(target);
	_cleanup_fd_ int from = -1;
	struct stat st;
	int rc;

	if (str_eq(path, target))
		return 0;
	rc = fs_open_beneath(unpacker->root, dir, O_RDONLY | O_DIRECTORY, 0, true, &from, err);
	if (rc < 0)
		return -1;
	if (rc == FS_MISSING || fstatat(from, path_base(target), &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode))
		return err_set(err, ERR_INPUT, "%s is another name of %s, which is no file", path,
		               target);
	if (clear_way(unpacker, path, err) < 0)
		return -1;
	if (failpoint("unpack-hard-link") ||
	    linkat(from, path_base(target), unpacker->parent_fd, path_base(path), 0) < 0)
		return err_sys(err, ERR_IO, "cannot link %s to %s", path, target);
	return 0;
}

int unpacker_finish(struct unpacker *unpacker, struct err *err)
{
	const struct timespec times[2] = { { .tv_sec = unpacker->mtime },
		                           { .tv_sec = unpacker->mtime } };

	for (size_t i = unpacker->dirs.n; i-- > 0;) {
		const char *path = unpacker->dirs.v[i];
		_cleanup_fd_ int fd = -1;
		int rc = fs_open_beneath(unpacker->root, *path ? path : ".", O_RDONLY | O_DIRECTORY,
		                         0, true, &fd, err);

		if (rc < 0)
			return -1;
		if (rc == 0 && futimens(fd, times) < 0)
			return err_sys(err, ERR_IO, "cannot set the time of %s", path);
	}
	return 0;
}
