#ifndef KILN_FAKES_EXECUTOR_H
#define KILN_FAKES_EXECUTOR_H

#include <stddef.h>

#include "base/map.h"
#include "exec/executor.h"
#include "store/blobs.h"

/* How an action was submitted. */
struct fake_start {
	struct exec_request request; /* its action and address are not kept */
	char *beside;                /* what ran at that moment, joined by spaces */
};

/*
 * Virtual time on so many processors: a job takes what `durations` (address → pointer to microseconds)
 * says, when it has a processor to itself. Where more jobs run than there are processors, those that are
 * nice share what the others leave.
 */
struct fake_pace {
	const struct map *durations;
	size_t processors;
	double now_us;
	bool told; /* one completion at a time: the engine may start others in between */
};

/*
 * An executor that runs nothing: every declared output becomes a file that holds the action's digest
 * and the output's path, so equal work gives equal bytes and other work other bytes. It keeps a log
 * of the addresses that it was given, in order, and can be told to fail, break or hold some: by
 * globs over addresses, NULL for none.
 */
struct fake_executor {
	struct executor base;
	struct blobs *blobs;       /* borrowed */
	size_t n_run;              /* submitted so far */
	char **ran;                /* their addresses */
	struct fake_start *starts; /* and how they were started */
	const char *fail;          /* fails with `fail_why` */
	const char *fail_why;
	const char *broken;     /* is EXEC_BROKEN */
	const char *killed;     /* fails by a SIGKILL that nobody here sent */
	size_t luck;            /* after so many of these two all goes well; 0: never */
	size_t unlucky;         /* how many there were */
	const char *hold;       /* does not end before it is cancelled */
	const char *constant;   /* its outputs hold their path only: other work, equal bytes */
	const char *refuse;     /* cannot be submitted */
	int64_t wall_us;        /* how long everything takes; 1000 */
	struct fake_pace *pace; /* NULL: everything ends at once */
	bool last_first;        /* completions in reverse order of submission */
	struct fake_job *jobs;  /* waiting to be collected */
	size_t n_jobs, most_at_once;
	int event_fd;
};

void fake_executor_init(struct fake_executor *fake, struct blobs *blobs);
void fake_executor_deinit(struct fake_executor *fake);
/* How often an address was submitted. */
size_t fake_executor_count(const struct fake_executor *fake, const char *address);

#endif
