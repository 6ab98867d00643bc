#ifndef KILN_EXEC_DEV_H
#define KILN_EXEC_DEV_H

#include "exec/work.h"

/*
 * The work folder of a stage that is built by increments: STORE/dev/<name>/build stays from one run to the
 * next, with all that the build left in it; what changed of the inputs since is changed in it, with the
 * time of now. What comes out depends on what was built before: nothing of it may be released.
 *   STORE/dev/<name>/inputs   the tree that was laid out last, and for what command; there only when that
 *                             has ended by itself: what was killed leaves files half written, and newer
 *                             than what they are made of
 * One process at a time has it; others wait.
 */
int dev_init(struct work *work, const char *store_dir, const char *name, struct err *err);
int dev_lay_out(struct work *work, struct blobs *blobs, const struct action *action, int64_t epoch,
                struct err *err);
/* The stage has ended by itself, well or not: the next run goes on from what it left. */
void dev_keep(const struct work *work, const struct action *action);
/* The name for a stage: a hash of what the store knows it by; caller frees. */
char *dev_name(const char *kept_under);
/* Under which digest the result of an action that was built so is kept: never the action's own. */
struct digest dev_digest(const struct digest *action);

#endif
