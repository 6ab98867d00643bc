#ifndef KILN_CLI_UNSEEN_H
#define KILN_CLI_UNSEEN_H

#include "cli/session.h"

/*
 * How much of what the held-out runs execute training never ran: measured where a run trains, else
 * what the lock's verdict says of the same sources and profile.
 */

/* {"functions", "millionths", "most": [{"name", "count"}]} of a target, or NULL: nobody knows. A new
 * reference. */
int unseen_find(struct session *session, const struct plan *plan,
                const struct engine_result *result, const struct recipe_target *target,
                json_t **ret, struct err *err);
/* Whether the lock's verdicts lack it for a target that has a profile: then it is to be measured. */
bool unseen_lacks(struct session *session);
/* The same as a line for people; in the arena. */
const char *unseen_line(struct arena *arena, const json_t *unseen);

#endif
