/* Sharing the machine with other processes of Kiln, or having it alone. */
#include "host/alone.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"
#include "base/str.h"
#include "host/failpoint.h"
#include "host/fs.h"
#include "host/lock.h"

/* Folders in which everybody may make files and nobody may take away those of others. */
static const char *find_dir(void)
{
	static const char *const dirs[] = { "/run/lock", "/tmp" };
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if (stat(dirs[i], &st) == 0 && S_ISDIR(st.st_mode) && (st.st_mode & S_ISVTX) &&
		    (st.st_mode & S_IWOTH) && access(dirs[i], W_OK) == 0)
			return dirs[i];
	return "/tmp"; /* opening the locks says what is wrong with it */
}

/*
 * A file that others may have made: reading it is enough to lock it. It is made without a second look at
 * one that is there, which the kernel refuses in such folders (fs.protected_regular).
 */
static int open_lock(const char *dir, const char *name, int *ret_fd, struct err *err)
{
	_cleanup_free_ char *path = path_join(dir, name);
	_cleanup_fd_ int fd = -1;
	bool made = false;
	struct stat st;

	for (int tries = 0; fd < 0 && tries < 3; tries++) {
		fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT) {
			fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
			made = fd >= 0;
		}
	}
	if (failpoint("alone-open") || fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, ERR_MACHINE, "cannot open %s, the lock of all kilns here",
		               path);
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1) {
		err_set(err, ERR_MACHINE, "%s is no file, and so no lock of all kilns here", path);
		return err_hint(err, "somebody put it there: remove it");
	}
	if (made)
		(void)fchmod(fd, 0644); /* whatever our umask, others must be able to open it */
	*ret_fd = fd;
	fd = -1;
	return 0;
}

int alone_open(struct alone *alone, const char *dir, struct err *err)
{
	*alone = ALONE_INIT;
	if (!dir)
		dir = find_dir();
	if (open_lock(dir, "kiln-gate.lock", &alone->gate, err) < 0 ||
	    open_lock(dir, "kiln-room.lock", &alone->room, err) < 0) {
		alone_deinit(alone);
		return -1;
	}
	return 0;
}

static int lock_it(int fd, bool exclusive, struct err *err)
{
	int rc = lock_fd(fd, exclusive, false, "the machine for all kilns", err);

	return rc == LOCK_BUSY ? ALONE_BUSY : rc;
}

int alone_share(struct alone *alone, struct err *err)
{
	int rc = lock_it(alone->gate, false, err);

	bug_on(alone->state == ALONE_ALONE);
	if (rc)
		return rc;
	if (alone->state == ALONE_OUT)
		rc = lock_it(alone->room, false, err);
	lock_release(alone->gate);
	if (rc == 0)
		alone->state = ALONE_SHARING;
	return rc;
}

int alone_take(struct alone *alone, struct err *err)
{
	int rc;

	if (alone->state == ALONE_ALONE)
		return 0;
	if (alone->state == ALONE_SHARING)
		alone_leave(alone);
	rc = lock_it(alone->gate, true, err);
	if (rc == 0)
		rc = lock_it(alone->room, true, err);
	if (rc == 0)
		alone->state = ALONE_ALONE;
	return rc;
}

void alone_leave(struct alone *alone)
{
	if (alone->room >= 0)
		lock_release(alone->room);
	if (alone->gate >= 0)
		lock_release(alone->gate);
	alone->state = ALONE_OUT;
}

void alone_deinit(struct alone *alone)
{
	fs_close(alone->gate); /* the locks go with the files */
	fs_close(alone->room);
	*alone = ALONE_INIT;
}
