#ifndef KILN_EXEC_EXECUTOR_H
#define KILN_EXEC_EXECUTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "exec/jobserver.h"
#include "model/action.h"
#include "sandbox/network.h"

/*
 * Where actions run. The caller submits an action whose bytes and inputs are in the store's blobs
 * and polls for what ended. An executor never looks at the action cache: that is the engine's.
 */
struct exec_request {
	const struct digest *action; /* its encoded bytes are a blob of action_size bytes */
	uint64_t action_size;
	const char *address; /* for process titles and messages */
	int64_t epoch;       /* SOURCE_DATE_EPOCH: mtime of all checked-out files */
	int64_t timeout_ms;  /* 0: none */
	/* What it may have (exec/limits.h); more ends it; 0: what holds for all. */
	int64_t memory, disk, processes;
	int jobs;        /* what -j may be: volatile environment KILN_JOBS */
	int nice;        /* 0: normal; 1 to 19: gives way to others */
	const char *dev; /* the tree it is built in by increments (exec/dev.h); NULL: a new one */
	/* Its programs' share of the job server: by the fifo in jobs_dir, unless they have none. */
	enum jobserver_style jobs_style;
	const char *jobs_dir;
	/* NULL: none, as for every stage of a recipe. Else it stays until the completion; only what
	 * Kiln itself fetches is run so, and nothing of it is an action that the engine looks up. */
	const struct sandbox_network *network;
	uint64_t token; /* comes back with the completion */
};

/* How a run ended. */
enum exec_status {
	EXEC_OK,     /* accepted: result is whole */
	EXEC_FAILED, /* the stage's own fault: exit code, signal, guard, missing output */
	EXEC_BROKEN, /* Kiln's or the machine's fault: err has it */
	EXEC_CANCELLED, /* because of cancel(), and never else: an end that nobody asked for is BROKEN */
};

struct exec_completion {
	uint64_t token;
	enum exec_status status;
	struct result result; /* EXEC_OK; EXEC_FAILED: exit_code, out, log, times are set */
	/* The content of all files that were laid out as inputs, and of those taken as outputs. */
	uint64_t bytes_in, bytes_out;
	const char *why; /* EXEC_FAILED: one line for people ("exit status 2", "killed by
	                           signal 9", "output src/x is missing", …); NULL else */
	bool outside;    /* EXEC_FAILED: by a SIGKILL that Kiln did not send */
	bool copied; /* it was run a second time, for it failed where its inputs were mounts (exec/layers.h) */
	struct err err; /* EXEC_BROKEN */
};

struct executor;

struct executor_ops {
	const char *name;
	int (*submit)(struct executor *executor, const struct exec_request *request,
	              struct err *err);
	/* Waits at most timeout_ms (-1: for ever) for one completion, strings into the arena.
	 * Returns 0, or EXECUTOR_IDLE when nothing ended in time or nothing is running. */
	int (*wait)(struct executor *executor, struct arena *arena, int timeout_ms,
	            struct exec_completion *ret, struct err *err);
	/* A descriptor that is readable when wait would not block. */
	int (*poll_fd)(struct executor *executor);
	/* The last line that what runs under this token printed, for people; it stays until the next
	 * wait. NULL: nothing yet, or nobody asked for it. An executor without it knows none. */
	const char *(*said)(struct executor *executor, uint64_t token);
	/* Ends everything that runs; completions with EXEC_CANCELLED follow. */
	void (*cancel)(struct executor *executor);
	void (*free)(struct executor *executor);
};

enum { EXECUTOR_IDLE = 1 };

struct executor {
	const struct executor_ops *ops;
};

#endif
