/*
 * A file of a work folder becomes a blob by another name: nothing is copied. That is right only for
 * a file that nobody can write to any more and that nobody else has. What the kernel does not promise
 * is not believed: then the caller copies.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "host/failpoint.h"
#include "host/fs.h"
#include "store/blobs_folder_impl.h"

enum { XATTRS_MOST = 1024, SLACK = 64 << 10 };

/* A label is the system's own; an access list, or what else there may be, would come along. */
static bool has_attributes(int fd)
{
	static const char label[] = "security.selinux";
	char names[XATTRS_MOST];
	ssize_t n = flistxattr(fd, names, sizeof(names));

	if (n < 0)
		return errno != ENOTSUP;
	return n > 0 && ((size_t)n != sizeof(label) || memcmp(names, label, sizeof(label)) != 0);
}

/*
 * The kernel grants a lease for reading only while nobody has the file open for writing or mapped so.
 * It is given back at once: from here on only its owner could open it, and all that the stage was is
 * gone.
 */
static bool nobody_writes(int fd)
{
	return fcntl(fd, F_SETLEASE, F_RDLCK) == 0 && fcntl(fd, F_SETLEASE, F_UNLCK) == 0;
}

bool folder_movable(struct blobs *blobs, int fd, const struct stat *st)
{
	const struct folder_blobs *folder = (const struct folder_blobs *)blobs;
	struct stat here;

	if (!S_ISREG(st->st_mode) || st->st_nlink != 1 || st->st_size < BLOB_CHUNK)
		return false;
	if (fstat(folder->fd, &here) < 0 || here.st_dev != st->st_dev)
		return false;
	/* What was set aside behind its end would be kept with it. */
	if (st->st_blocks * 512 > st->st_size + SLACK)
		return false;
	return !has_attributes(fd) && nobody_writes(fd);
}

static bool is_as_hashed(int fd, const struct stat *then)
{
	struct stat now;

	return fstat(fd, &now) == 0 && now.st_dev == then->st_dev && now.st_ino == then->st_ino &&
	       now.st_size == then->st_size && now.st_nlink == 1 &&
	       now.st_mtim.tv_sec == then->st_mtim.tv_sec &&
	       now.st_mtim.tv_nsec == then->st_mtim.tv_nsec;
}

/* The build user's file becomes the store's: read-only, with the owner that all blobs have. */
static bool make_ours(int fd, const struct stat *then)
{
	if ((then->st_uid != geteuid() || then->st_gid != getegid()) &&
	    fchown(fd, geteuid(), getegid()) < 0)
		return false;
	return fchmod(fd, 0444) == 0;
}

/* What a disk says of itself is an error for a copy too; all else may only be about moving. */
static bool is_of_the_disk(int sys)
{
	return err_sys_is_full(sys) || sys == EIO || sys == EROFS;
}

int folder_move(struct blobs *blobs, int dir, const char *name, const struct stat *st,
                const struct blob_ref *ref, struct err *err)
{
	struct folder_blobs *folder = (struct folder_blobs *)blobs;
	_cleanup_fd_ int fd =
		openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 || !is_as_hashed(fd, st))
		return BLOBS_STAYS;
	if (!make_ours(fd, st) || !nobody_writes(fd) || !is_as_hashed(fd, st))
		return BLOBS_STAYS;
	if (!failpoint("blob-move") && folder_give_name(folder, fd, dir, name, &ref->digest) == 0)
		return 0;
	return is_of_the_disk(errno) ? folder_cannot_write(folder, err) : BLOBS_STAYS;
}
