#ifndef KILN_EXEC_PIPES_H
#define KILN_EXEC_PIPES_H

#include "base/err.h"

/*
 * What lies between a runner and what it started for a stage: a pipe for each stream, and one by which the
 * runtime says how far it came. All are close-on-exec, and the build user's own where there is one.
 */
enum { PIPE_OUT, PIPE_LOG, PIPE_STATUS, N_PIPES };

struct pipes {
	int fd[N_PIPES][2]; /* read end, write end; -1: closed */
	int err_file;       /* no pipe: it would hold up a child that nobody reads from */
};

/* The child's side of them. */
struct supervise_streams {
	int out_fd, log_fd; /* pipes: standard output and standard error of the child */
	int status_fd;      /* "exit-code" in what is written here: the program was started */
	int err_fd;         /* supervise's own, for what fn returns -1 with */
};

int pipes_open(struct pipes *p, struct err *err);
/* Closes the read ends (0) or the write ends (1). */
void pipes_close_ends(struct pipes *p, int end);
/* Closes what is still open. */
void pipes_close(struct pipes *p);
struct supervise_streams pipes_streams(const struct pipes *p);
/* What the child wrote as its error; code ERR_NONE when it did not. */
void pipes_read_error(const struct pipes *p, struct err *ret);

#endif
