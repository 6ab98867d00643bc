#ifndef KILN_SANDBOX_EXPLAIN_H
#define KILN_SANDBOX_EXPLAIN_H

#include "base/err.h"

/*
 * Says why a sandbox could not be made and the one line that mends it: looks at the switches below
 * an open /proc/sys (or a test's copy), then at what bubblewrap said. Sets ERR_MACHINE, returns -1.
 */
int sandbox_explain(int sysctl_dirfd, const char *said, struct err *err);

#endif
