#ifndef KILN_EXEC_SUPERVISE_H
#define KILN_EXEC_SUPERVISE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "exec/limits.h"
#include "exec/pipes.h"
#include "model/times.h"

/*
 * Runs a function in a forked child and watches over it: its output goes into files up to a limit,
 * time is limited, SIGTERM to the runner cancels, and it is over only when every process that it
 * started has ended. The calling process becomes the reaper of all of them and must have no other
 * children.
 */
/* Runs in the child. Returns its exit code, or -1 with err; or execs. */
typedef int (*supervise_fn)(void *data, const struct supervise_streams *streams, struct err *err);

enum supervise_end {
	SUPERVISE_EXITED,
	SUPERVISE_TIMEOUT,
	SUPERVISE_OUT_LIMIT,
	SUPERVISE_LOG_LIMIT,
	SUPERVISE_LIMIT,
	SUPERVISE_CANCELLED,
};

struct supervise_spec {
	supervise_fn ready; /* called before, in the calling process; NULL: nothing is to be done */
	supervise_fn fn;
	bool execs; /* fn only execs, and writes nothing (host/process.h, process_fork_to_exec) */
	void *data;
	int64_t timeout_ms; /* 0: none */
	int nice;           /* 0: normal; 1 to 19: the child's session gives way to others */
	uint64_t out_limit, log_limit;
	struct limits_watch *limits; /* begun; the child enters its group */
	int files_fd; /* the folder that files for the streams are made in, without names */
	int said_fd;  /* where the last line of both is told (exec/said.h); -1: nowhere */
};

struct supervised {
	enum supervise_end end;
	bool cancelled; /* also where that came too late to be how it ended */
	int exit_code;  /* 128 + signal when a signal ended the child itself */
	bool ran;       /* "exit-code" came through status_fd */
	struct err err; /* what fn returned -1 with; code ERR_NONE when it did not */
	int64_t wall_us, user_us, system_us, peak_bytes;
	struct breach breach;              /* SUPERVISE_LIMIT: which */
	int out_file, log_file;            /* what it printed; -1: nothing */
	struct times out_times, log_times; /* when it came */
};

int supervise(const struct supervise_spec *spec, struct supervised *ret, struct err *err);
/* Closes and frees what is in it; a second time nothing happens. */
void supervised_deinit(struct supervised *s);

#endif
