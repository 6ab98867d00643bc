#ifndef KILN_CLI_ABOUT_H
#define KILN_CLI_ABOUT_H

#include "cli/session.h"

/* What a run is about, in a few words each: what is built, for how many targets, with which tools,
 * by which pins. Ended by NULL; lies in the session's arena. */
const char *const *about_plan(struct session *session, const struct plan *plan);

#endif
