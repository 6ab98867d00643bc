#ifndef KILN_EXEC_SUPERVISE_H
#define KILN_EXEC_SUPERVISE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "exec/limits.h"
#include "model/times.h"

/*
 * Runs a function in a forked child and watches over it: its output goes into files up to a limit,
 * time is limited, SIGTERM to the runner cancels, and it is over only when every process that it
 * started has ended. The calling process becomes the reaper of all of them and must have no other
 * children.
 */
struct supervise_streams {
	int out_fd, log_fd; /* pipes: standard output and standard error of the child */
	int status_fd;      /* "exit-code" in what is written here: the program was started */
	int err_fd;         /* supervise's own, for what fn returns -1 with */
};

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
	supervise_fn fn;
	void *data;
	int64_t timeout_ms; /* 0: none */
	int nice;           /* 0: normal; 1 to 19: the child's session gives way to others */
	uint64_t out_limit, log_limit;
	struct limits_watch *limits; /* begun; the child enters its group */
	int out_file, log_file;      /* written from their position on */
	int said_fd; /* where the last line of both is told (exec/said.h); -1: nowhere */
};

struct supervised {
	enum supervise_end end;
	int exit_code;  /* 128 + signal when a signal ended the child itself */
	bool ran;       /* "exit-code" came through status_fd */
	struct err err; /* what fn returned -1 with; code ERR_NONE when it did not */
	int64_t wall_us, user_us, system_us, peak_bytes;
	struct breach breach;              /* SUPERVISE_LIMIT: which */
	struct times out_times, log_times; /* when what it printed came; the caller's */
};

int supervise(const struct supervise_spec *spec, struct supervised *ret, struct err *err);

#endif
