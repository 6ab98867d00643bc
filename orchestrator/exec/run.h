#ifndef KILN_EXEC_RUN_H
#define KILN_EXEC_RUN_H

#include "exec/builtin.h"
#include "exec/wire.h"
#include "exec/work.h"
#include "sandbox/spec.h"

/* One action, laid out: what a runner carries out, and what a shell looks at. */
struct run {
	struct arena *arena;
	struct runner_request request;
	struct blobs *blobs;
	struct action action;
	const struct sandbox_runtime *runtime;
	const struct builtin *builtin; /* or NULL */
	struct sandbox_spec spec;
	const char *
		tree; /* a folder to work in, as it is; NULL: the inputs are laid out in a new one */
	bool layers; /* large folders of the inputs need not be copied: they are unmounted at the end */
	struct work work;
	struct runner_reply reply;
	struct groups *groups; /* borrowed; may be NULL */
	int reply_fd;          /* of a runner */
	bool again;            /* of a runner: it is to be carried out once more, without layers */
	pid_t self;
};

/*
 * Reads the action, lays its inputs out in a work folder, and fills in the sandbox's spec; request and
 * self are given. What was made so far is in `run` also after a failure.
 */
int run_prepare(struct run *run, struct err *err);

#endif
