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
/* No rejected text stands in standard output or standard error; -1 for one: nothing stands in it. */
int guard_reject(const struct action *action, int out_file, int log_file, struct arena *arena,
                 const char **ret_why, struct err *err);
/*
 * Takes the declared outputs into the store, large files by moving them there (store/moves.h), so the
 * work folder is whole afterwards only where the stage is at fault. Nothing may run in it any more.
 */
struct guard_taking {
	const struct work *work;
	struct blobs *blobs;
	size_t children; /* as in struct ingest_options */
	bool stay;       /* outputs are copied: who made them will look for them again */
	uint64_t *bytes; /* as in struct ingest_options */
};
int guard_outputs(const struct action *action, const struct guard_taking *taking,
                  struct arena *arena, struct result *result, const char **ret_why,
                  struct err *err);

#endif
