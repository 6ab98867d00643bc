/*
 * One process at a time runs an action. A claim is a lock on one byte of one file, at the place that the
 * action's digest says: nothing is made or removed for it, and the kernel ends it with its process. Two
 * actions that share a byte, one pair in 2^61, would wait for each other, and no more.
 */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "host/failpoint.h"
#include "host/fs.h"
#include "host/lock.h"
#include "store/store_impl.h"

static const char file[] = "locks/actions";

static int open_file(struct store *store, struct err *err)
{
	if (store->claims < 0 && !failpoint("claim-open"))
		store->claims =
			openat(store->fd, file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return store->claims < 0 ?
	               err_sys(err, ERR_IO, "cannot open the lock %s/%s", store->dir, file) :
	               0;
}

/* Locks of the open file, not of the process (fcntl(2), F_OFD_SETLK): two handles of a process are two. */
static int set_lock(struct store *store, const struct digest *action, short type)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_len = 1 };
	uint64_t place;

	memcpy(&place, action->bytes, sizeof(place));
	lock.l_start = (off_t)(place >> 3);
	return fcntl(store->claims, F_OFD_SETLK, &lock);
}

int store_claim(struct store *store, const struct digest *action, struct err *err)
{
	if (open_file(store, err) < 0)
		return -1;
	if (!failpoint("claim-take") && set_lock(store, action, F_WRLCK) == 0)
		return 0;
	if (errno == EAGAIN || errno == EACCES)
		return STORE_CLAIMED;
	return err_sys(err, ERR_IO, "cannot lock %s/%s", store->dir, file);
}

void store_release_claim(struct store *store, const struct digest *action)
{
	if (store->claims >= 0)
		set_lock(store, action, F_UNLCK);
}

/* Kiln once made a file for each claim. */
int store_sweep_claims(struct store *store, struct err *err)
{
	_cleanup_fd_ int dir = -1;
	struct fs_names list = { 0 };
	int rc = fs_open_dir(store->fd, "locks", &dir, err);

	if (rc == 0)
		rc = fs_list(dir, ".", &list, err);
	for (size_t i = 0; rc == 0 && i < list.names.n; i++) {
		_cleanup_fd_ int fd = -1;
		struct err ignored = ERR_INIT;

		if (str_starts(list.names.v[i], "action-") &&
		    lock_file(dir, list.names.v[i], true, false, &fd, &ignored) == 0 &&
		    fs_is_named(fd, dir, list.names.v[i]))
			unlinkat(dir, list.names.v[i], 0);
	}
	fs_names_deinit(&list);
	return rc < 0 ? -1 : 0;
}
