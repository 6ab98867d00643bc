#ifndef KILN_EXEC_LIMITS_H
#define KILN_EXEC_LIMITS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "sandbox/group.h"

/*
 * What one stage may take of the machine. Where a control group holds it to a limit, that is asked
 * whether it was met; where none does, what the stage has is looked at, the more often the nearer it
 * is. Nothing here is in an action's key.
 */
struct limits {
	uint64_t memory;    /* bytes, with what stands in /tmp and /dev/shm */
	uint64_t processes; /* and threads */
	uint64_t disk;      /* bytes in the work folder; 0: what the reserve leaves */
};

/* What holds where a recipe says nothing: nine tenths of the machine's memory, so many processes. */
enum { LIMITS_PROCESSES = 4096 };
/* Less memory than that no stage is held to: what makes its sandbox would not start, and not say why. */
enum { LIMITS_LEAST_MEMORY = 8 << 20 };
uint64_t limits_memory(const struct groups *groups);

/* What a stage may print, all in all. */
enum { LIMITS_OUT = 1 << 30, LIMITS_LOG = 64 << 20 };

/* What a stage leaves of the store's file system, of `total` bytes or inodes, for all others. */
enum { LIMITS_RESERVE = 1 << 30 };
uint64_t limits_reserve(uint64_t total);

enum limit { LIMIT_NONE, LIMIT_MEMORY, LIMIT_PROCESSES, LIMIT_DISK, LIMIT_SPACE, LIMIT_INODES };

/* Which limit a stage passed. */
struct breach {
	enum limit limit;
	uint64_t had, most; /* had 0: the kernel did not let it have more */
	uint64_t left;      /* LIMIT_SPACE, LIMIT_INODES: in the file system */
};

/* One line for people: what was passed, and what can be done. */
const char *breach_text(struct arena *arena, const struct breach *breach);
/* Bytes for people: "64 MiB", "1.5 GiB". */
const char *limits_size(struct arena *arena, uint64_t n);

struct limits_watch {
	struct limits most;
	struct group *group; /* borrowed, taken; nothing in it where there is none */
	int work_fd;         /* borrowed; -1: no work folder */
	bool narrow;         /* memory is less than what the machine as a whole tells of */
	uint64_t free_at_start;
	int64_t next_us, next_tree_us, next_disk_us, next_folder_us; /* when it is looked again */
};

/* Resolves what is 0 and takes a group, the one in `group` again if there is one and it fits; `groups` may be
 * NULL. It stays the caller's, to release. */
void limits_begin(struct limits_watch *watch, const struct limits *most, struct groups *groups,
                  struct group *group, int work_fd);
/* Milliseconds until the next look. */
int limits_wait_ms(const struct limits_watch *watch);
/* Looks, when it is time, at what descends from this process; `inner` is the first process of the
 * stage's own namespaces, or 0. True: a limit was passed. */
bool limits_look(struct limits_watch *watch, pid_t inner, struct breach *ret);
/* Looks for the last time, at what can still be told when all has ended; `failed`: not as it should. */
bool limits_last(struct limits_watch *watch, bool failed, struct breach *ret);
/* Whether it was the stage that filled the disk, when Kiln could not write what the stage said. */
bool limits_full(const struct limits_watch *watch, struct breach *ret);

#endif
