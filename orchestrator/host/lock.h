#ifndef KILN_HOST_LOCK_H
#define KILN_HOST_LOCK_H

#include <stdbool.h>

#include "base/err.h"

/*
 * Locks by flock(2) on an open file or folder. A lock belongs to the open file description: it is
 * held until every copy of the descriptor is closed, so it ends with the process whatever happens,
 * and a forked child that should not hold it closes its copy.
 */

/* Outcome: somebody else holds it. */
enum { LOCK_BUSY = 1 };

/* Locks an open descriptor. With `wait` blocks until it is free; else returns 0 or LOCK_BUSY. */
int lock_fd(int fd, bool exclusive, bool wait, const char *what, struct err *err);
/* Gives a lock back before its descriptor is closed. */
void lock_release(int fd);
/* Opens (and makes, 0600) a lock file and locks it. Returns 0 or LOCK_BUSY. */
int lock_file(int dirfd, const char *path, bool exclusive, bool wait, int *ret_fd, struct err *err);

/*
 * Folders that live as long as their process (work/<pid>-<n>, tmp/…): alive while an exclusive lock
 * on the folder itself is held. `lock_new_dir` makes NAME-0, NAME-1, … whichever is new, and returns
 * it open and locked; `lock_dir_is_dead` takes the lock of a folder whose owner is gone (true: the
 * caller holds it in *ret_fd and may remove the folder).
 */
int lock_new_dir(int dirfd, const char *name, char **ret_name, int *ret_fd, struct err *err);
bool lock_dir_is_dead(int dirfd, const char *name, int *ret_fd);

#endif
