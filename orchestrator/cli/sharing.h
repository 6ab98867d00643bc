#ifndef KILN_CLI_SHARING_H
#define KILN_CLI_SHARING_H

#include "cli/session.h"
#include "engine/engine.h"

/* How a run shares the machine: with other kilns, and its jobs among its stages. */

/* How the programs of an image are told of the job server, by its section of the lock. */
enum jobserver_style sharing_style(const json_t *lock_section);
/* Fills in what the engine needs for it; `alone` outlives the run. What was opened is also there after a
 * failure. */
int sharing_open(struct session *session, const struct plan *plan, struct alone *alone,
                 struct engine_request *request, struct err *err);

#endif
