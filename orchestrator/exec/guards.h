#ifndef KILN_EXEC_GUARDS_H
#define KILN_EXEC_GUARDS_H

#include "base/arena.h"
#include "exec/work.h"
#include "model/action.h"
#include "store/blobs.h"

/*
 * What makes a run count. Each guard returns 0 with *ret_why untouched when it holds, 0 with one line
 * for people in *ret_why (in the arena) when the stage is at fault, or -1.
 */
int guard_exit_code(const struct action *action, int exit_code, struct arena *arena,
                    const char **ret_why);
/* No rejected text stands in standard output or standard error. */
int guard_reject(const struct action *action, const struct work *work, struct arena *arena,
                 const char **ret_why, struct err *err);
/* Takes the declared outputs into the store. */
int guard_outputs(const struct action *action, const struct work *work, struct blobs *blobs,
                  struct arena *arena, struct result *result, const char **ret_why,
                  struct err *err);

#endif
