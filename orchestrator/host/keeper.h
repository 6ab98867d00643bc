#ifndef KILN_HOST_KEEPER_H
#define KILN_HOST_KEEPER_H

#include <sys/types.h>

/*
 * A process between a parent and what it runs, for programs that start others which do not end with
 * them: bubblewrap's inner process waits for ever when its outer one is killed before they have met.
 * The keeper is the reaper of all that is below it. When its child ends, or its parent, it kills what
 * is left, and only then ends itself, with the child's status. SIGTERM tells it to.
 */

/* Called in a child of `parent`. Returns 0 in a new process, which leads a session of its own; the
 * calling one never returns, unless it cannot fork (-1). */
int keeper_fork(pid_t parent);

#endif
