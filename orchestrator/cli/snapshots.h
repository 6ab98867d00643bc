#ifndef KILN_CLI_SNAPSHOTS_H
#define KILN_CLI_SNAPSHOTS_H

#include "cli/session.h"
#include "plan/plan.h"

/*
 * A command that had nothing to do need not think again until something has changed: see
 * snapshot/snapshot.h. For commands that say so (`replays`), and command lines without options that make
 * something beside the store.
 */

/* Whether there is to be one, by the command line alone; cli's members for it are filled in. */
void snapshots_prepare(int argc, char **argv, struct cli *cli);
/* The store is open and nothing was looked up in it. */
void snapshots_begin(struct session *session);
/* Before sources are taken in: as long as nobody has changed the store since the last run of the same words in
 * the same folder, their stamps are enough. */
void snapshots_trust(struct session *session);
/* What that run found out of stages; the caller's. NULL: it counts for nothing. */
struct ledger *snapshots_ledger(struct session *session);
/* The run was well, and ran nothing where `idle`: what it looked at and said is kept for the next. */
void snapshots_end(struct session *session, const struct plan *plan,
                   const struct engine_result *result);

#endif
