#ifndef KILN_CLI_OUTPUTS_H
#define KILN_CLI_OUTPUTS_H

#include "cli/session.h"

/* What a run made, for the commands that show, copy or pack it. */

/* The node that a goal is about, from a finished run. A stage goal ("" path) has none. */
int outputs_node(struct session *session, const struct plan *plan,
                 const struct engine_result *result, const struct plan_goal *goal,
                 struct tree_node *ret, struct err *err);
/* Writes a file, link or folder to the host as NAME below an open folder, owned by the caller. */
int outputs_copy(struct session *session, const struct tree_node *node, const char *dir,
                 const char *name, struct err *err);
/* Reads smoke.json of a smoke goal; a new reference. */
int outputs_smoke(struct session *session, const struct plan *plan,
                  const struct engine_result *result, const struct plan_goal *goal, json_t **ret,
                  struct err *err);

#endif
