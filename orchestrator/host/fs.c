/*
 * Files and folders by descriptor. What a build or an archive named is opened beneath a folder by
 * openat2, so that a planted symlink can never lead outside.
 */
#include "host/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/path.h"
#include "host/failpoint.h"

void fs_names_add(struct fs_names *names, const char *name, size_t n)
{
	if (!names->texts)
		names->texts = arena_new();
	array_push(&names->names, arena_str_n(names->texts, name, n));
}

void fs_names_deinit(struct fs_names *names)
{
	array_deinit(&names->names);
	names->texts = arena_free(names->texts);
}

int fs_close(int fd)
{
	if (fd >= 0)
		close(fd);
	return -1;
}

void fs_close_cleanup(int *fd)
{
	*fd = fs_close(*fd);
}

static int open_or_missing(int dirfd, const char *path, int flags, int *ret_fd, struct err *err)
{
	int fd = failpoint("file-open") ? -1 : openat(dirfd, path, flags | O_CLOEXEC);

	if (fd >= 0) {
		*ret_fd = fd;
		return 0;
	}
	if (errno == ENOENT || errno == ENOTDIR)
		return FS_MISSING;
	return err_sys(err, ERR_IO, "cannot open %s", path);
}

int fs_open(int dirfd, const char *path, int *ret_fd, struct err *err)
{
	return open_or_missing(dirfd, path, O_RDONLY, ret_fd, err);
}

int fs_open_dir(int dirfd, const char *path, int *ret_fd, struct err *err)
{
	return open_or_missing(dirfd, path, O_RDONLY | O_DIRECTORY, ret_fd, err);
}

int fs_open_beneath(int dirfd, const char *path, int flags, mode_t mode, bool nofollow, int *ret_fd,
                    struct err *err)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned int)(flags | O_CLOEXEC),
		.mode = flags & O_CREAT ? mode : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS |
		           (nofollow ? RESOLVE_NO_SYMLINKS : 0u),
	};
	long fd;

	do
		fd = failpoint("beneath-open") ?
		             -1 :
		             syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
	while (fd < 0 && (errno == EAGAIN || errno == EINTR));
	if (fd >= 0) {
		*ret_fd = (int)fd;
		return 0;
	}
	if (errno == ENOENT || errno == ENOTDIR)
		return FS_MISSING;
	if (errno == EXDEV || errno == ELOOP)
		return err_set(err, ERR_INPUT, "%s leads out of its folder through a link", path);
	return err_sys(err, ERR_IO, "cannot open %s", path);
}

int fs_read_fd(int fd, const char *what, struct buf *buf, struct err *err)
{
	char chunk[65536];

	for (;;) {
		ssize_t n = failpoint("file-read") ? -1 : read(fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, ERR_IO, "cannot read %s", what);
		if (n == 0)
			return 0;
		buf_add(buf, chunk, (size_t)n);
		if (buf->overflow)
			return err_set(err, ERR_INPUT, "%s is larger than %zu bytes", what,
			               buf->limit);
	}
}

int fs_must(int rc, const char *path, struct err *err)
{
	if (rc <= 0)
		return rc;
	err_set(err, ERR_IO, "%s is not there any more", path);
	return err_hint(err, "did somebody remove it? Run the same command again");
}

int fs_read(int dirfd, const char *path, struct buf *buf, struct err *err)
{
	_cleanup_fd_ int fd = -1;
	int rc = fs_open(dirfd, path, &fd, err);

	return rc ? rc : fs_read_fd(fd, path, buf, err);
}

int fs_write_all(int fd, const void *p, size_t n, const char *what, struct err *err)
{
	const char *at = p;

	while (n > 0) {
		ssize_t done = failpoint("file-write") ? -1 : write(fd, at, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return err_sys(err, ERR_IO, "cannot write %s", what);
		at += done;
		n -= (size_t)done;
	}
	return 0;
}

int fs_sync_dir_of(int dirfd, const char *path, struct err *err)
{
	_cleanup_free_ char *dir = path_dir(path);
	_cleanup_fd_ int fd = openat(dirfd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (failpoint("folder-sync") || fd < 0 || fsync(fd) < 0)
		return err_sys(err, ERR_IO, "cannot make %s durable", dir);
	return 0;
}

/* Fills and renames one temporary file; the caller removes it when this fails. */
static int write_temp(int dirfd, const char *temp, const char *path, const void *p, size_t n,
                      mode_t mode, bool sync, struct err *err)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	_cleanup_fd_ int fd = failpoint("file-create") ? -1 : openat(dirfd, temp, flags, mode);

	if (fd < 0)
		return err_sys(err, ERR_IO, "cannot create %s", path);
	(void)flock(fd, LOCK_EX | LOCK_NB); /* alive, says that to fs_sweep_temps */
	if (fs_write_all(fd, p, n, path, err) < 0)
		return -1;
	if (failpoint("file-mode") || fchmod(fd, mode) < 0)
		return err_sys(err, ERR_IO, "cannot set the mode of %s", path);
	if (sync && (failpoint("file-sync") || fsync(fd) < 0))
		return err_sys(err, ERR_IO, "cannot make %s durable", path);
	if (failpoint("file-rename") || renameat(dirfd, temp, dirfd, path) < 0)
		return err_sys(err, ERR_IO, "cannot put %s in place", path);
	return sync ? fs_sync_dir_of(dirfd, path, err) : 0;
}

void fs_sweep_temps(int dirfd, const char *path)
{
	_cleanup_free_ char *dir = path_dir(path), *prefix = str_fmt(".%s.", path_base(path));
	struct fs_names names = { 0 };
	struct err ignored = ERR_INIT;

	if (fs_list(dirfd, dir, &names, &ignored) != 0)
		return;
	for (size_t i = 0; i < names.names.n; i++) {
		const char *name = names.names.v[i], *rest;
		_cleanup_free_ char *full = path_join(dir, name);
		_cleanup_fd_ int fd = -1;

		if (!str_starts(name, prefix))
			continue;
		rest = name + strlen(prefix);
		if (!str_eq(rest + strspn(rest, "0123456789"), ".tmp"))
			continue;
		fd = openat(dirfd, full, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
			unlinkat(dirfd, full, 0);
	}
	fs_names_deinit(&names);
}

char *fs_temp_name(const char *path)
{
	_cleanup_free_ char *dir = path_dir(path);

	return str_fmt("%s/.%s.%d.tmp", dir, path_base(path), (int)getpid());
}

int fs_write_file(int dirfd, const char *path, const void *p, size_t n, mode_t mode, bool sync,
                  struct err *err)
{
	_cleanup_free_ char *temp = fs_temp_name(path);

	unlinkat(dirfd, temp, 0);
	if (write_temp(dirfd, temp, path, p, n, mode, sync, err) < 0) {
		unlinkat(dirfd, temp, 0);
		return -1;
	}
	if (sync)
		fs_sweep_temps(dirfd, path);
	return 0;
}

int fs_list(int dirfd, const char *path, struct fs_names *ret, struct err *err)
{
	struct fs_names names = { 0 };
	struct dirent *entry;
	int fd = -1;
	int rc = fs_open_dir(dirfd, path, &fd, err);
	DIR *dir;

	if (rc)
		return rc;
	dir = failpoint("folder-list") ? NULL : fdopendir(fd);
	if (!dir) {
		fs_close(fd);
		return err_sys(err, ERR_IO, "cannot list %s", path);
	}
	errno = 0;
	while ((entry = readdir(dir))) {
		if (str_eq(entry->d_name, ".") || str_eq(entry->d_name, ".."))
			continue;
		fs_names_add(&names, entry->d_name, strlen(entry->d_name));
		errno = 0;
	}
	if (errno) {
		err_sys(err, ERR_IO, "cannot list %s", path);
		closedir(dir);
		fs_names_deinit(&names);
		return -1;
	}
	closedir(dir);
	array_sort(&names.names, str_cmp_ptr);
	*ret = names;
	return 0;
}

/* 0 where it is there, or something is that has its name. */
static int make_dir(int dirfd, const char *path, mode_t mode)
{
	if (!failpoint("folder-make") && mkdirat(dirfd, path, mode) == 0)
		return 0;
	return errno == EEXIST || errno == EISDIR ? 0 : -1;
}

int fs_make_dirs(int dirfd, const char *path, mode_t mode, struct err *err)
{
	_cleanup_free_ char *copy = str_dup(path);
	int rc = path[0] ? make_dir(dirfd, path, mode) : 0;

	if (rc < 0 && errno == ENOENT) { /* rarely: most folders are there */
		rc = 0;
		for (char *p = strchr(copy + 1, '/'); rc == 0 && p; p = strchr(p + 1, '/')) {
			*p = '\0';
			rc = make_dir(dirfd, copy, mode);
			*p = rc < 0 ? *p : '/';
		}
		if (rc == 0)
			rc = make_dir(dirfd, copy, mode);
	}
	return rc < 0 ? err_sys(err, ERR_IO, "cannot make the folder %s", copy) : 0;
}

/* Folders up to this depth are removed where they are; deeper ones are moved up first. */
enum { REMOVE_DEPTH = 32 };

struct remover {
	int top;             /* the folder that goes away */
	unsigned int lifted; /* folders moved up into it */
};

/* Opens a folder that is to be emptied, making it readable and writable. */
static int open_to_empty(int dirfd, const char *name)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(dirfd, name, flags);

	if (fd < 0 && errno == EACCES && fchmodat(dirfd, name, 0700, 0) == 0)
		fd = openat(dirfd, name, flags);
	if (fd >= 0)
		fchmod(fd, 0700);
	return fd;
}

/* Moves a folder up to the top under a new name: depth costs no descriptors. */
static int lift(struct remover *r, int dirfd, const char *name, struct err *err)
{
	for (;;) {
		_cleanup_free_ char *up = str_fmt(".lifted.%u", r->lifted++);
		int rc = renameat(dirfd, name, r->top, up);

		/* Another parent changes "..", which is a write to the folder. */
		if (rc < 0 && errno == EACCES && fchmodat(dirfd, name, 0700, 0) == 0)
			rc = renameat(dirfd, name, r->top, up);
		if (rc == 0)
			return 0;
		if (errno != EEXIST && errno != ENOTEMPTY && errno != ENOTDIR)
			return err_sys(err, ERR_IO, "cannot remove %s", name);
	}
}

static int remove_entry(struct remover *r, int dirfd, const char *name, int depth, struct err *err);

/* Removes what is in an open folder now, `n` entries; lifting may add new ones at the top. */
static int remove_inside(struct remover *r, int fd, int depth, size_t *ret_n, struct err *err)
{
	struct fs_names list = { 0 };
	int rc = fs_list(fd, ".", &list, err);

	for (size_t i = 0; rc == 0 && i < list.names.n; i++)
		rc = remove_entry(r, fd, list.names.v[i], depth, err);
	*ret_n = list.names.n;
	fs_names_deinit(&list);
	return rc;
}

static int remove_entry(struct remover *r, int dirfd, const char *name, int depth, struct err *err)
{
	_cleanup_fd_ int fd = -1;
	size_t n;

	if (failpoint("entry-remove"))
		return err_sys(err, ERR_IO, "cannot remove %s", name);
	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0)
		return 0;
	if (depth > REMOVE_DEPTH)
		return lift(r, dirfd, name, err);
	fd = open_to_empty(dirfd, name);
	if (fd < 0)
		return err_sys(err, ERR_IO, "cannot remove %s", name);
	if (remove_inside(r, fd, depth + 1, &n, err) < 0)
		return -1;
	if (unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_sys(err, ERR_IO, "cannot remove %s", name);
	return 0;
}

int fs_remove_tree(int dirfd, const char *path, struct err *err)
{
	_cleanup_fd_ int top = -1;
	struct remover r;
	size_t n;

	if (!failpoint("tree-remove") && (unlinkat(dirfd, path, 0) == 0 || errno == ENOENT))
		return 0;
	if (errno != EISDIR && errno != EPERM && errno != EACCES)
		return err_sys(err, ERR_IO, "cannot remove %s", path);
	if (unlinkat(dirfd, path, AT_REMOVEDIR) == 0)
		return 0;
	top = open_to_empty(dirfd, path);
	if (top < 0)
		return err_sys(err, ERR_IO, "cannot remove %s", path);
	r = (struct remover){ .top = top };
	do
		if (remove_inside(&r, top, 1, &n, err) < 0)
			return err_while(err, "removing %s", path);
	while (n > 0);
	if (unlinkat(dirfd, path, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_sys(err, ERR_IO, "cannot remove %s", path);
	return 0;
}

int fs_stat(int dirfd, const char *path, struct stat *ret, struct err *err)
{
	struct stat st;

	if (failpoint("file-stat") ||
	    fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) < 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return FS_MISSING;
		return err_sys(err, ERR_IO, "cannot look at %s", path);
	}
	*ret = st;
	return 0;
}

int fs_copy_fd(int from, int to, const char *what, struct err *err)
{
	char chunk[65536];

	for (;;) {
		ssize_t n = failpoint("file-clone") ?
		                    -1 :
		                    copy_file_range(from, NULL, to, NULL, 1 << 30, 0);

		if (n == 0)
			return 0;
		if (n > 0)
			continue;
		if (errno == EINTR)
			continue;
		if (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP ||
		    errno == EBADF)
			break;
		return err_sys(err, ERR_IO, "cannot copy %s", what);
	}
	for (;;) {
		ssize_t n = read(from, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, ERR_IO, "cannot read %s", what);
		if (n == 0)
			return 0;
		if (fs_write_all(to, chunk, (size_t)n, what, err) < 0)
			return -1;
	}
}

int fs_read_link(int dirfd, const char *path, char **ret, struct err *err)
{
	char text[PATH_MAX];
	ssize_t n = failpoint("link-read") ? -1 : readlinkat(dirfd, path, text, sizeof(text));

	if (n < 0)
		return err_sys(err, ERR_IO, "cannot read the link %s", path);
	if ((size_t)n == sizeof(text))
		return err_set(err, ERR_INPUT, "the link %s is longer than %d bytes", path,
		               PATH_MAX);
	*ret = str_dup_n(text, (size_t)n);
	return 0;
}

int fs_real_path(const char *path, char **ret, struct err *err)
{
	char *real = failpoint("path-resolve") ? NULL : realpath(path, NULL);

	if (!real) {
		if (errno == ENOENT || errno == ENOTDIR)
			return FS_MISSING;
		return err_sys(err, ERR_IO, "cannot resolve %s", path);
	}
	*ret = real;
	return 0;
}

bool fs_exists(int dirfd, const char *path)
{
	return faccessat(dirfd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

char *fs_nearest(const char *path)
{
	char *at = str_dup(path);

	while (faccessat(AT_FDCWD, at, F_OK, 0) < 0 && !str_eq(at, "/") && !str_eq(at, ".")) {
		char *up = path_dir(at);

		free(at);
		at = up;
	}
	return at;
}

void fs_hint_unrelated(int fd)
{
	unsigned int flags = 0;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0 || (flags & FS_TOPDIR_FL))
		return;
	flags |= FS_TOPDIR_FL;
	(void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

uint64_t fs_room(int fd)
{
	struct statvfs fs;

	return fstatvfs(fd, &fs) == 0 ? (uint64_t)fs.f_bavail * fs.f_frsize : 0;
}

static bool is_before(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec ? a->tv_nsec < b->tv_nsec : a->tv_sec < b->tv_sec;
}

char *fs_longest_unchanged(int dirfd, const struct fs_names *names)
{
	struct timespec then = { 0 };
	char *oldest = NULL;

	for (size_t i = 0; i < names->names.n; i++) {
		char *name = names->names.v[i];
		struct stat st;

		if (!name[0] || fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    (oldest && !is_before(&st.st_ctim, &then)))
			continue;
		oldest = name;
		then = st.st_ctim;
	}
	return oldest;
}

bool fs_same(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_ino == y.st_ino && x.st_dev == y.st_dev;
}

bool fs_is_named(int fd, int dirfd, const char *path)
{
	struct stat ours, named;

	return fstat(fd, &ours) == 0 && fstatat(dirfd, path, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
}
