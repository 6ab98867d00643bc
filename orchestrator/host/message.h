#ifndef KILN_HOST_MESSAGE_H
#define KILN_HOST_MESSAGE_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Whole messages over a socket pair (AF_UNIX, SOCK_SEQPACKET), with descriptors beside them (unix(7),
 * SCM_RIGHTS). The other end being gone raises no signal.
 */
enum { MESSAGE_FDS = 2 };

/* A pair, close-on-exec, neither of them standard input, output or error. -1: errno. */
int message_pair(int ret[2]);

/* Sends n bytes, and n_fds (at most MESSAGE_FDS) descriptors, which stay the caller's. -1: errno. */
ssize_t message_send(int sock, const void *p, size_t n, const int *fds, size_t n_fds);

/* Takes one message; flags as of recvmsg(2). What came of descriptors, close-on-exec and the caller's, is in fds: fewer than were
 * sent where this process may open no more. Returns its bytes, 0 at the end, -1: errno. */
ssize_t message_receive(int sock, void *p, size_t n, int flags, int fds[MESSAGE_FDS],
                        size_t *ret_n_fds);

#endif
