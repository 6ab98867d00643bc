#ifndef KILN_EXEC_RUNNER_H
#define KILN_EXEC_RUNNER_H

#include "exec/wire.h"
#include "sandbox/group.h"

/*
 * A process that the runner server forked, and that carries out one request (exec/wire.h) after the other.
 * Each comes through the socket, its serial number (an int) before it, with the write end of a pipe for its
 * reply, and the user namespace that it starts from where there is one. Before the reply is whole the runner
 * says to the server, by a message of one byte, that it takes another; it ends where it does not, at the
 * socket's end, and at SIGTERM. A SIGTERM that comes while a stage runs cancels that. One that finds a request
 * which was not begun cancels it if it carries its number (sigqueue(3)); if not, that is carried out yet: nobody
 * else would. Of two that wait the kernel keeps the first: a cancel behind somebody else's is not heard.
 */
enum { RUNNER_REQUEST_MAX = (int)sizeof(int) + WIRE_REQUEST_MAX };

void runner_main(int sock, struct groups *groups);

#endif
