#ifndef KILN_FAKES_EXECUTOR_H
#define KILN_FAKES_EXECUTOR_H

#include <stddef.h>

#include "exec/executor.h"
#include "store/blobs.h"

/*
 * An executor that runs nothing: every declared output becomes a file that holds the action's digest
 * and the output's path, so equal work gives equal bytes and other work other bytes. It keeps a log
 * of the addresses that it was given, in order, and can be told to fail, break or hold some.
 */
struct fake_executor {
	struct executor base;
	struct blobs *blobs; /* borrowed */
	size_t n_run;        /* submitted so far */
	char *ran[1024];     /* their addresses */
	const char *fail;    /* an address whose action fails with `why` (NULL: none) */
	const char *fail_why;
	const char *broken;    /* an address whose action is EXEC_BROKEN */
	bool last_first;       /* completions in reverse order of submission */
	struct fake_job *jobs; /* waiting to be collected */
	size_t n_jobs, most_at_once;
	int event_fd;
};

void fake_executor_init(struct fake_executor *fake, struct blobs *blobs);
void fake_executor_deinit(struct fake_executor *fake);
/* How often an address was submitted. */
size_t fake_executor_count(const struct fake_executor *fake, const char *address);

#endif
