#ifndef KILN_CLI_WHY_H
#define KILN_CLI_WHY_H

#include "cli/session.h"
#include "engine/explain.h"

/* Looks every wanted node of a plan up; nothing runs. */
int why_look(struct session *session, const struct plan *plan, struct engine_result *ret,
             struct err *err);
/* One a node, in the session's arena: it would run, or may. */
bool *why_would_run(struct session *session, const struct plan *plan,
                    const struct engine_result *looked);
/* Explains what was looked up: nodes for which `which` is true; one of ret a node, in the session's
 * arena. What is cached costs as much to explain as what runs. */
int why_explain(struct session *session, const struct plan *plan,
                const struct engine_result *looked, const bool *which,
                const struct explanation **ret, struct err *err);

#endif
