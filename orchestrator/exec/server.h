#ifndef KILN_EXEC_SERVER_H
#define KILN_EXEC_SERVER_H

#include <sys/types.h>

#include "base/err.h"
#include "exec/wire.h"

/*
 * The runner server: a small process forked first thing in main, before any store, key or database
 * is open, that forks every runner. A fork from it is cheap and no handle can cross. It has a
 * session of its own (Ctrl-C reaches the main process only), inherits neither ignored signals nor
 * descriptors, and ends with its parent, whatever ends that, with all that was started.
 */
struct runner_server;

/* Who carries a request out. Its reply (exec/wire.h) comes through reply_fd, which is at its end with it, or
 * when the runner ended before. */
struct runner {
	pid_t pid;
	int pidfd; /* both owned by the caller, close-on-exec */
	int reply_fd;
	int serial; /* of the request, among all of its server */
};

int runner_server_start(struct runner_server **ret, struct err *err);
/* Ends the server and every runner; returns NULL. */
struct runner_server *runner_server_stop(struct runner_server *server);
pid_t runner_server_pid(const struct runner_server *server);
int runner_server_run(struct runner_server *server, const struct runner_request *request,
                      struct runner *ret, struct err *err);
/* Asks for the end of what it carries out (SIGTERM), begun or not. There is a reply, or none. */
void runner_cancel(const struct runner *runner);

#endif
