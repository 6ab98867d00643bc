#ifndef KILN_EXEC_RUN_H
#define KILN_EXEC_RUN_H

#include "exec/builtin.h"
#include "exec/wire.h"
#include "exec/work.h"
#include "exec/workshop.h"
#include "sandbox/spec.h"

/* One action, laid out: what a runner carries out, and what a shell looks at. */
struct run {
	struct arena *arena;
	struct workshop *shop;
	struct runner_request request;
	struct action action;
	const struct sandbox_runtime *runtime;
	const struct builtin *builtin; /* or NULL */
	struct sandbox_spec spec;
	const char *
		tree; /* a folder to work in, as it is; NULL: the inputs are laid out in a new one */
	bool layers; /* large folders of the inputs need not be copied: they are unmounted at the end */
	struct work work;
	struct runner_reply reply;
	int reply_fd;     /* of a runner */
	bool again;       /* of a runner: it is to be carried out once more, without layers */
	int64_t spent_us; /* … what that took: all of it is in its time limit */
};

#define RUN_INIT ((struct run){ .work = WORK_INIT, .spec = { .stdin_fd = -1 } })

/*
 * Reads the action, lays its inputs out in a work folder, and fills in the sandbox's spec; arena, shop and
 * request are given. What was made so far is in `run` also after a failure.
 */
int run_prepare(struct run *run, struct err *err);

/* Closes what is open and removes the work folder; arena and shop stay. */
void run_end(struct run *run);
/* The same, where the action is to be carried out again, in the mount namespace that it came to. */
void run_end_here(struct run *run);

#endif
