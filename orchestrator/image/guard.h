#ifndef KILN_IMAGE_GUARD_H
#define KILN_IMAGE_GUARD_H

#include <sys/types.h>

#include "base/err.h"
#include "host/child.h"

/*
 * A process beside an unprivileged bootstrap that outlives Kiln for a moment when Kiln is killed: it
 * then kills all that the bootstrap started, which nothing else would (its processes live in
 * namespaces of their own and belong to other users), and removes their folder.
 */
struct guard {
	pid_t pid;
	int pipe; /* while it is open, all is well */
};

/* `child` leads its process group; `work` is the folder to remove. */
int guard_start(const struct child *child, const char *work, struct guard *ret, struct err *err);
/* The bootstrap has ended: the guard goes without doing anything. */
void guard_end(struct guard *guard);

/* Removes a folder in which files belong to subordinate users of this one. */
int guard_remove(const char *work, struct err *err);

#endif
