#ifndef KILN_SANDBOX_BWRAP_H
#define KILN_SANDBOX_BWRAP_H

#include "base/err.h"

/* Makes a sandbox around bubblewrap's own --version, as the user that builds run as, from a user
 * namespace (0: this one). 0, or -1 with ERR_MACHINE and the line that mends it. */
int bwrap_try(int userns_fd, struct err *err);

#endif
