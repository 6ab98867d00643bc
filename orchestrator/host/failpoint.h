#ifndef KILN_HOST_FAILPOINT_H
#define KILN_HOST_FAILPOINT_H

#include <stdbool.h>

/*
 * Named places that tests make fail: KILN_FAILPOINT=NAME:N lets the N-th passing of NAME in a
 * process (counted from 1) fail with ENOSPC, NAME:N:kill ends the process there with SIGKILL,
 * NAME:N:ERRNO (a number) fails with that errno. "*" is any name. Costs one getenv when not set.
 *
 *     if (failpoint("blob-rename") || renameat(…) < 0) return err_sys(…);
 *
 * True with errno set: fail here.
 */
bool failpoint(const char *name);

#endif
