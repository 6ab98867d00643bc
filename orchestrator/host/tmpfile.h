#ifndef KILN_HOST_TMPFILE_H
#define KILN_HOST_TMPFILE_H

#include "base/err.h"

/*
 * Temporary files and folders. A nameless file needs no cleaning whatever happens; a temporary
 * folder is alive while its descriptor is open (host/lock.h), so that a later sweep finds what a
 * killed process left.
 */

/* A nameless file, open for reading and writing, in the file system of dirfd. */
int tmpfile_open(int dirfd, const char *what, int *ret_fd, struct err *err);

struct tmpdir {
	int parent_fd; /* borrowed */
	char *name;
	int fd;
};

/* Makes PARENT/PURPOSE.<pid>-<n>, mode 0700. `parent_fd` must outlive it. */
int tmpdir_init(struct tmpdir *dir, int parent_fd, const char *purpose, struct err *err);
/* Removes those of that purpose that killed processes left. What cannot be removed stays. */
void tmpdir_sweep(int parent_fd, const char *purpose);
/* Removes it with all that is in it. Zeroed or deinited ones are fine. */
void tmpdir_deinit(struct tmpdir *dir);

#endif
