#ifndef KILN_SANDBOX_USERNS_H
#define KILN_SANDBOX_USERNS_H

#include <sys/types.h>

#include "base/err.h"

/*
 * A user namespace that another program opened for this user, and that all sandboxes of one Kiln
 * start from. The descriptor alone keeps it: no process need stay in it.
 */

/*
 * The namespace that `podman unshare` opens: it may where AppArmor forbids it to programs that it has
 * no profile of. podman works in a folder of its own, which is removed; the process that it leaves to
 * come back to the namespace is ended. Only for who is not root. *ret_fd is the caller's.
 */
int userns_of_podman(int *ret_fd, struct err *err);

/* In a user namespace that this process has just made: who it was outside is that user inside, and there is
 * nobody else. */
int userns_map_self(uid_t uid, gid_t gid, uid_t outer_uid, gid_t outer_gid, struct err *err);

/* Enters it, as its root; a `fd` of 0 is none, and nothing happens. Only a process of one thread. */
int userns_join(int fd, struct err *err);

#endif
