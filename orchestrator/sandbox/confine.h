#ifndef KILN_SANDBOX_CONFINE_H
#define KILN_SANDBOX_CONFINE_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * Shuts the caller (a forked child of one thread) into one folder: `dir` becomes its root and
 * working folder, without network, without other processes, without privileges, as the build user,
 * with no descriptors but those listed and the standard streams. For Kiln's own code that reads what
 * a build wrote. Call it before anything is read. `parent`: as for process_die_with_parent; userns_fd:
 * as in struct sandbox_spec.
 *
 * What returns 0 is a new process, the first of a PID namespace. The calling one stays outside, as
 * the new one's parent, and exits with its exit code, or with 128 and the signal that ended it.
 */
int sandbox_confine(const char *dir, pid_t parent, int userns_fd, const int *keep, size_t n_keep,
                    struct err *err);

#endif
