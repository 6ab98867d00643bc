#ifndef KILN_SANDBOX_FILTER_H
#define KILN_SANDBOX_FILTER_H

#include "base/buf.h"
#include "base/err.h"

/*
 * What no namespace shuts out: sockets of families that know none (vsock reaches the machine that
 * this one is a guest of), and the kernel's key rings. Other families than UNIX, IP and netlink are
 * EAFNOSUPPORT; keyctl, add_key, request_key, and io_uring, which would open sockets past a filter,
 * are ENOSYS. Stays for good, for all that is started later.
 */

/* For this process, which must have given up new privileges. */
int sandbox_filter_apply(struct err *err);
/* As bubblewrap's --seccomp reads it. */
void sandbox_filter_write(struct buf *buf);

#endif
