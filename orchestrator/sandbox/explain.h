#ifndef KILN_SANDBOX_EXPLAIN_H
#define KILN_SANDBOX_EXPLAIN_H

#include "base/err.h"

/*
 * Says why a sandbox could not be made and the one line that mends it: looks at the switches below
 * an open /proc/sys (or a test's copy), then at what bubblewrap said. Sets ERR_MACHINE, returns -1.
 */
int sandbox_explain(int sysctl_dirfd, const char *said, struct err *err);

/* Their values, "name=value\n" each; -1: this kernel has none. */
struct buf;
void sandbox_switches(int sysctl_dirfd, struct buf *ret);

/* Says that a stage's words are more than execve(2) takes (E2BIG), and what to do. Sets ERR_STAGE, returns -1. */
int sandbox_explain_too_long(const char *program, struct err *err);

#endif
