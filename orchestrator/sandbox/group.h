#ifndef KILN_SANDBOX_GROUP_H
#define KILN_SANDBOX_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * Control groups (cgroups(7)), where this process may make some below its own: version 2 where a
 * subtree is delegated, else version 1. The kernel holds what enters one to its limits, however it
 * forks. Where there are none, somebody has to look from time to time.
 *
 * Groups are kept and used by one stage after the other: the kernel remembers one that is gone for
 * as long as a page that it read is in memory, and ten thousand stages would be ten thousand of them.
 */
enum group_limit {
	GROUP_MEMORY,    /* bytes, files in /tmp and /dev/shm with them */
	GROUP_PROCESSES, /* processes and threads */
	N_GROUP_LIMITS,
};

/* Where groups are made. */
struct groups;

/*
 * Finds out; `root` is "" or, for tests, a folder with a /proc and /sys of its own. Version 2 has
 * groups below a group of no processes only: this process and `companion`, if they are alone in
 * theirs, move into one of its own. Never fails: it may be that nothing can be held.
 */
struct groups *groups_open(const char *root, pid_t companion);
/* Removes what is not in use, and moves back who was moved. Returns NULL. */
struct groups *groups_close(struct groups *groups);
/* "cgroup v2", "cgroup v1", or NULL: nothing holds it here. */
const char *groups_holder(const struct groups *groups, enum group_limit limit);
/* What this process's own group allows, or UINT64_MAX. */
uint64_t groups_most(const struct groups *groups, enum group_limit limit);

enum { GROUP_PLACES = 2 };

/* The descriptors that a forked process needs of it; returns how many. */
size_t groups_fds(const struct groups *groups, int ret[GROUP_PLACES]);

/* For one stage at a time. */
struct group {
	int fd[GROUP_PLACES];               /* locked folders, or -1 */
	const char *enter[GROUP_PLACES];    /* the file by which to enter */
	int place[N_GROUP_LIMITS];          /* which of them holds it; -1: none */
	const char *events[N_GROUP_LIMITS]; /* the file that counts … */
	const char *event[N_GROUP_LIMITS];  /* … how often the limit was met, under a word */
	uint64_t before[N_GROUP_LIMITS];    /* as it was counted when the group was taken */
	uint64_t most[N_GROUP_LIMITS];      /* what it was taken with */
};

#define GROUP_INIT ((struct group){ .fd = { -1, -1 }, .place = { -1, -1 } })

/* Takes a group that is free and sets the limits, as far as that can be done; groups may be NULL. */
void group_take(struct groups *groups, const uint64_t most[N_GROUP_LIMITS], struct group *ret);
/* Takes the same group for the next stage, when the last one's processes have ended. False: it has other limits,
 * or there is none. */
bool group_take_again(struct group *group, const uint64_t most[N_GROUP_LIMITS]);
void group_release(struct group *group);
bool group_holds(const struct group *group, enum group_limit limit);
/* Moves this process, of one thread, in; what it starts later is in it too. */
int group_enter(const struct group *group, struct err *err);
/* Whether the kernel refused or killed something because of this limit since the group was taken. */
bool group_was_met(const struct group *group, enum group_limit limit);

#endif
