#ifndef KILN_EXEC_RUNNER_H
#define KILN_EXEC_RUNNER_H

#include "base/str.h"
#include "sandbox/group.h"

/*
 * One action, in a process of its own that the runner server forked: request in, reply (exec/wire.h)
 * out through reply_fd; userns_fd is the request's. Its stage is held by a group of `groups`, as far as
 * there are any. Returns the process's exit status: 0 when the reply is whole.
 */
int runner_main(struct str request, int userns_fd, int reply_fd, struct groups *groups);

#endif
