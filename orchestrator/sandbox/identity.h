#ifndef KILN_SANDBOX_IDENTITY_H
#define KILN_SANDBOX_IDENTITY_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * Whom builds run as. Started by root, Kiln drops to one fixed uid (and gid) that no person, no
 * daemon, no range of subordinate ids and no directory service has: above the 2,000,200,000 of
 * sssd's default range, below systemd's container ranges. Started by anybody else, it is that
 * user. Unpacked images and work folders belong to this uid.
 */
enum { SANDBOX_UID = 2013265921, SANDBOX_GID = 2013265921 };

/* Inside, whoever it is outside: user and group "builder". */
enum { SANDBOX_INNER_UID = 1000, SANDBOX_INNER_GID = 1000 };

/* Whether there is something to give up: root of a machine (or of a container that maps that uid).
 * Root of a user namespace without it, as in rootless containers, is but a plain user. */
bool sandbox_drops(void);
/* Whom builds run as: the fixed uid and gid, or the caller's own. */
uid_t sandbox_uid(void);
gid_t sandbox_gid(void);

/*
 * Drops to that uid and gid for good, without supplementary groups; a no-op for who is not root.
 * The process stays dumpable, so that it can map itself in a user namespace afterwards.
 */
int sandbox_drop(struct err *err);
/* The same for who execs at once, and is dumpable after that: where its memory is another process's, too, that
 * is not. */
int sandbox_drop_to_exec(struct err *err);

#endif
