#ifndef KILN_EXEC_MADE_H
#define KILN_EXEC_MADE_H

#include "base/arena.h"
#include "exec/work.h"

/*
 * The programs (executable ELF files that are no shared objects by name) that a stage left in its work
 * folder, for a message about one that is not there: "src/a, src/b and 3 more", or NULL where there
 * are none. Never fails: what cannot be looked at is left out.
 */
const char *made_programs(const struct work *work, struct arena *arena);

#endif
