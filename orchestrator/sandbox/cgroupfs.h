#ifndef KILN_SANDBOX_CGROUPFS_H
#define KILN_SANDBOX_CGROUPFS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/*
 * The file system of control groups, of both versions: a folder a group, with small text files
 * (cgroups(7); Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/ of the kernel). Nothing here
 * fails with an error: what is not there, or refused, is a limit that others have to keep.
 */

/* What a process sees of it: /proc/self/mountinfo and /proc/self/cgroup below `root`. */
struct cgroupfs {
	const char *root;
	struct str mounts, cgroups;
};

/* Opens the folder of this process's own group in the hierarchy of a controller ("" for version 2's
 * only one), as far as a mount of that type shows it; -1: none does. */
int cgroupfs_open_own(const struct cgroupfs *fs, const char *type, const char *controller);

bool cgroupfs_write(int dir, const char *name, const char *text);
bool cgroupfs_write_number(int dir, const char *name, uint64_t number);
/* The whole of a file; false where it is not there. */
bool cgroupfs_read(int dir, const char *name, struct buf *ret);
/* The number behind a word at a line's start; 0 where there is none. */
uint64_t cgroupfs_count(int dir, const char *name, const char *word);
/* Whether a file of words has one. */
bool cgroupfs_lists(int dir, const char *name, const char *word);
/* What a group is limited to, or UINT64_MAX: "max", a number as large as version 1's for none, or the
 * root's, which has no such file. */
uint64_t cgroupfs_limit(int dir, const char *file);

#endif
