#ifndef KILN_CLI_RUNTIME_H
#define KILN_CLI_RUNTIME_H

#include "cli/session.h"

/* Which sandbox runtime is used: --runtime's, or the first of the table that is pinned and works. */

/* Refuses a name that no runtime has; NULL is fine. */
int runtime_check_name(const char *name, struct err *err);
/* Whether it uses this machine's own tools: nothing that it builds is pinned. NULL does not. */
bool runtime_leaves_image(const char *name);
/* Refuses one whose work a lock cannot pin. */
int runtime_check_lock(const char *name, struct err *err);
/* Sets session->runtime and userns_fd; says so when it is not the table's first. Once is enough. */
int session_choose_runtime(struct session *session, struct err *err);
/* A stage could not be run for what the machine lacks: what was known of its runtime is asked again next time. */
void runtime_forget(struct session *session);
/*
 * Tries all that are pinned and writes, one behind the other, which works, which is used, and why
 * another is not. RUNTIME_SECOND: the one that is used is not the table's first. -1: none works; the
 * cause says of each why.
 */
enum { RUNTIME_SECOND = 1 };
int runtime_survey(struct buf *text, struct err *err);

#endif
