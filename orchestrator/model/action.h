#ifndef KILN_MODEL_ACTION_H
#define KILN_MODEL_ACTION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "model/tree.h"

/*
 * The canonical action: everything that may change the bytes of what a stage makes, and nothing
 * else. The SHA-256 of its encoding (kiln.v1.Action, external/proto/kiln.proto) is the key of work.
 * Timeouts, cpus, memory, priorities, -j and host paths are not in here: see volatile_env.h.
 */
struct action_env {
	const char *name, *value;
};

struct action_output {
	const char *path;     /* tree path */
	const char **exclude; /* globs relative to the output folder */
	size_t n_exclude;
	bool non_empty;
};

struct action {
	const char **argv;
	size_t n_argv;
	struct action_env *env;
	size_t n_env;
	const char *workdir; /* tree path below the work folder, "" */
	struct action_output *outputs;
	size_t n_outputs;
	const struct blob_ref *input_root; /* NULL: it is not composed yet */
	const struct digest *image;        /* NULL: a builtin needs none */
	const char *arch;                  /* "amd64" */
	const char *builtin;               /* "name@version" or NULL */
	bool fixed_addresses;
	int *exit_codes; /* accepted besides 0 */
	size_t n_exit_codes;
	const char **reject; /* texts that must not stand in the log */
	size_t n_reject;
};

/* Sorts environment, outputs, excludes, exit codes and reject texts in place. */
void action_sort(struct action *action);
/* Sorts, then encodes. */
void action_encode(struct action *action, struct buf *buf);
int action_decode(struct arena *arena, struct str bytes, struct action *ret, struct err *err);

/* ---- results ------------------------------------------------------------------------------ */

struct result_output {
	const char *path;
	struct tree_node *node; /* its name is "" */
};

struct result {
	int exit_code;
	struct result_output *outputs; /* sorted by path */
	size_t n_outputs;
	struct blob_ref out, log; /* standard output; standard error */
	struct blob_ref times;    /* when what was printed came (model/times.h); or none */
	int64_t wall_us, user_us, system_us, peak_bytes, started_us;
};

void result_encode(struct result *result, struct buf *buf);
int result_decode(struct arena *arena, struct str bytes, struct result *ret, struct err *err);

#endif
