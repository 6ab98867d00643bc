#ifndef KILN_CLI_NOTES_H
#define KILN_CLI_NOTES_H

#include "cli/session.h"

/* What commands say of a plan and of a run, besides its progress; on standard error. */

/* Before the run: profiles that are not pinned, and pinned ones that no longer fit. `pins`: what is
 * trained is written into the lock. Always 0, so that it can stand between steps. */
int notes_profiles(struct session *session, const struct plan *plan, bool pins);
/* Whether something was built by increments, which nobody may take for a release. */
void notes_dev(struct session *session, const struct plan *plan,
               const struct engine_result *result);
/* The end of a run: "2m14s, 58 stages run, 21 cached", and which of them took the most of it; or that
 * nothing was to do. */
void notes_summary(struct session *session, const struct plan *plan,
                   const struct engine_result *result);
/* Where that is what single stages made. */
void notes_made(struct session *session);
/* The same for a run that failed or was interrupted: what is there for the next one. `way_on` says
 * how what did not run will. */
void notes_kept(struct session *session, const struct engine_result *result, const char *way_on);
/* A line for each target of the plan of which it is known how much of the held-out runs training never
 * ran. */
int notes_unseen(struct session *session, const struct plan *plan,
                 const struct engine_result *result, struct err *err);
/* At the end of a release, a line a target: what ships, how large its packages are, on how many
 * held-out runs its output was compared, whether its own tests ran. */
int notes_targets(struct session *session, const struct plan *plan,
                  const struct engine_result *result, struct err *err);
/* Behind that: where to read about the release, and what to type next. */
void notes_ways_on(struct session *session, const char *dir, bool is_signed, bool development);

#endif
