#ifndef KILN_EXEC_SHELL_H
#define KILN_EXEC_SHELL_H

#include "exec/wire.h"

/*
 * A shell where a stage would run: its image, its inputs laid out, its environment, its walls; STAGE in
 * its environment is what the stage runs. On a terminal it gets one of its own (host/pty.h); else it reads
 * what standard input has. A terminal of the person's own is never handed to it. Must be called with no
 * thread but the caller's.
 */
struct shell_request {
	struct runner_request stage; /* as a runner gets it */
	const char
		*tree; /* the folder that a failure left (work_kept); NULL: inputs laid out anew */
};

/* Where the folder is that an action left when it failed, if it is kept; caller frees. */
char *exec_shell_failed(const char *store_dir, const struct digest *action);
/* *ret_code: the shell's exit code. A stage that is one of Kiln's own steps is ERR_USAGE. */
int exec_shell(const struct shell_request *request, int *ret_code, struct err *err);

#endif
