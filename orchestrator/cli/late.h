#ifndef KILN_CLI_LATE_H
#define KILN_CLI_LATE_H

#include "cli/session.h"

/*
 * The executor of a session's stages: on this machine, in the runtime that session_choose_runtime finds. It is
 * opened with the first stage that is submitted: what has nothing to run tries no sandbox. The session outlives
 * it.
 */
struct executor *late_executor_new(struct session *session);

#endif
