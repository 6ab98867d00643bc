/*
 * flock(2) locks. A sweeper may remove a folder between its mkdir and its lock, so the owner checks
 * that what it locked is still what the name says, and else takes the next name. A sweeper checks
 * the same: the owner may have gone, and another made the folder anew, before it had the lock.
 */
#include "host/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "host/failpoint.h"
#include "host/fs.h"

int lock_fd(int fd, bool exclusive, bool wait, const char *what, struct err *err)
{
	int how = (exclusive ? LOCK_EX : LOCK_SH) | (wait ? 0 : LOCK_NB);

	while (failpoint("lock-take") || flock(fd, how) < 0) {
		if (errno == EINTR)
			continue;
		if (errno == EWOULDBLOCK)
			return LOCK_BUSY;
		return err_sys(err, ERR_IO, "cannot lock %s", what);
	}
	return 0;
}

void lock_release(int fd)
{
	flock(fd, LOCK_UN);
}

int lock_file(int dirfd, const char *path, bool exclusive, bool wait, int *ret_fd, struct err *err)
{
	const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
	_cleanup_fd_ int fd = failpoint("lock-open") ? -1 : openat(dirfd, path, flags, 0600);
	int rc;

	if (fd < 0)
		return err_sys(err, ERR_IO, "cannot open the lock %s", path);
	rc = lock_fd(fd, exclusive, wait, path, err);
	if (rc == 0) {
		*ret_fd = fd;
		fd = -1;
	}
	return rc;
}

/* Opens and locks a folder; false when somebody else has it, or another now has its name. */
static bool claim(int dirfd, const char *name, int *ret_fd)
{
	_cleanup_fd_ int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || !fs_is_named(fd, dirfd, name))
		return false;
	*ret_fd = fd;
	fd = -1;
	return true;
}

int lock_new_dir(int dirfd, const char *name, char **ret_name, int *ret_fd, struct err *err)
{
	for (int n = 0; n < 10000; n++) {
		_cleanup_free_ char *full = str_fmt("%s-%d", name, n);

		if (failpoint("locked-folder-make") || mkdirat(dirfd, full, 0700) < 0) {
			if (errno == EEXIST)
				continue;
			return err_sys(err, ERR_IO, "cannot make the folder %s", full);
		}
		if (claim(dirfd, full, ret_fd)) {
			*ret_name = steal(full);
			return 0;
		}
	}
	return err_set(err, ERR_IO, "cannot make a folder %s-N: all names are taken", name);
}

bool lock_dir_is_dead(int dirfd, const char *name, int *ret_fd)
{
	return claim(dirfd, name, ret_fd);
}
