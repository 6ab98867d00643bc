#ifndef KILN_SANDBOX_CONFINE_H
#define KILN_SANDBOX_CONFINE_H

#include <sys/types.h>

#include "base/err.h"

/*
 * Shuts the calling process (a forked child of one thread) into one folder: `dir` becomes its root
 * and working folder, without network, without privileges, as the build user. For Kiln's own code
 * that reads what a build wrote. Call it before anything is read. `parent`: as for
 * process_die_with_parent.
 */
int sandbox_confine(const char *dir, pid_t parent, struct err *err);

#endif
