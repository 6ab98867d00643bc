#ifndef KILN_HOST_CHILD_H
#define KILN_HOST_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Child processes of the host. Whatever the caller inherited (ignored signals, a mask, open
 * descriptors), a child starts with default dispositions, an empty mask and only the descriptors
 * named; it leads a session of its own and is killed when its parent ends.
 */

/* What to run. Zero means the default everywhere, so descriptor 0 cannot be named: dup it. */
struct child_spec {
	const char *const
		*argv; /* NULL-ended; argv[0] is a path or looked up in the caller's PATH */
	const char *const
		*env; /* NULL-ended "NAME=VALUE", the whole environment; NULL: child_passed */
	const char *const *set_env; /* NULL-ended "NAME=VALUE" on top of `env`; NULL: none */
	const char *dir;            /* working folder; NULL: the caller's */
	const void *input;          /* bytes for standard input; NULL: none */
	size_t input_n;
	int stdin_fd;        /* when there is no `input`; 0: /dev/null */
	int stdout_fd;       /* 0: captured */
	int stderr_fd;       /* 0: captured; may be the same as stdout_fd */
	const int *keep_fds; /* further descriptors it has, under the same numbers */
	size_t n_keep_fds;
	size_t out_limit;   /* most bytes of captured stdout; 0: 16 MiB; more is an error */
	size_t log_limit;   /* most bytes of captured stderr; 0: 1 MiB; the last ones are kept */
	int64_t timeout_ms; /* 0: none; afterwards it is killed, which is an error */
	void (*tick)(void *data); /* called four times a second while it runs; NULL: not */
	void *tick_data;
	int umask; /* 0: 022 */
	uid_t uid; /* becomes this user and `gid`, without groups; 0: the caller */
	gid_t gid;
	int userns_fd; /* enters this user namespace; 0: stays in the caller's */
	bool kept;     /* with a keeper (host/keeper.h) between: whatever it starts ends with it */
};

/*
 * The variables of the caller that a child gets unless told otherwise: what finding programs and
 * files, languages, proxies, certificates and apt need. All else stays behind, a signing key among it.
 */
extern const char *const child_passed[]; /* names, NULL-ended */

struct child_result {
	int exit_code;       /* 0..255; 128 + signal when a signal ended it */
	int signal;          /* what ended it, or 0 */
	struct buf out, log; /* captured; empty where a descriptor was given */
	int64_t wall_us, user_us, system_us, peak_bytes;
};

void child_result_deinit(struct child_result *result);
#define _cleanup_child_result_ _cleanup_(child_result_deinit)

/*
 * Runs to the end. Returns 0 when it ended by itself, whatever its exit code. A program that is
 * not there is ERR_MACHINE; a timeout or too much output is ERR_IO, and its process group is killed:
 * what it started and what did not leave that group. Fills *ret only when it returns 0; the caller deinits it.
 */
int child_run(const struct child_spec *spec, struct child_result *ret, struct err *err);
/* The same, and an exit code other than 0 is ERR_IO with the last lines of stderr. */
int child_run_ok(const struct child_spec *spec, struct child_result *ret, struct err *err);
/* Sets the error for a result with an exit code other than 0: what ran, how it ended, stderr. */
int child_fail(const struct child_spec *spec, const struct child_result *result, struct err *err);
/* Whether a program is found in PATH (or is an executable path). */
bool child_find(const char *program, char **ret_path);

/* Starts without waiting: nothing is captured (stdout_fd and stderr_fd 0 mean /dev/null). */
struct child {
	pid_t pid;
	bool kept;
	int pidfd; /* readable when it ended; owned by the caller */
};
int child_spawn(const struct child_spec *spec, struct child *ret, struct err *err);
/* Waits for the end and closes the pidfd. `usage` may be NULL. Returns the exit code as above. */
int child_wait(struct child *child, int *ret_signal, struct rusage *usage);
/* SIGKILL for the child's whole process group, or all that its keeper keeps. */
void child_kill(const struct child *child);

/* A parent that ignores SIGCHLD never learns how children end: takes the default instead. */
void child_mind_children(void);

#endif
