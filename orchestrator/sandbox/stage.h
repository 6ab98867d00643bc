#ifndef KILN_SANDBOX_STAGE_H
#define KILN_SANDBOX_STAGE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct sandbox_spec;

/*
 * Mounts by which the build user reaches what lies in root's store: a store below a 0700 home is not
 * reachable after the drop, and no descriptor helps. They are in a mount namespace of this process, over
 * a folder that everybody can reach, and stay for what is run next. For who is not root there are none.
 */
struct staged {
	char *from; /* NULL: nothing is staged */
	dev_t dev;  /* which folder that was */
	ino_t ino;
	char at[32]; /* where it stands */
};

struct staging {
	bool apart;        /* this process has a mount namespace of its own */
	const char *cover; /* what a tmpfs was laid over; NULL: nothing yet */
	struct staged root, work, jobs;
};

/* Enters the namespace, if need be: what is opened from here on is of it. A file can be moved within one
 * namespace alone, so this comes before the store is opened. */
int sandbox_apart(struct staging *staging, struct err *err);

/*
 * Makes root file system, work folder and the job server's folder reachable, with spec->common, and
 * rewrites spec->rootfs, spec->work and spec->jobs. What stands there already is not mounted again. For a stage
 * that sees the machine's own folders, `alone`, the job server's is its own and nothing beside it.
 */
int sandbox_stage(struct sandbox_spec *spec, bool alone, struct err *err);

/* Takes these mounts away, when nothing is entered any more: before that, what is mounted in the work folder
 * stays in the way. The namespace stays. A second time nothing happens. */
void sandbox_unstage(struct staging *staging);

#endif
