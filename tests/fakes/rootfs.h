#ifndef KILN_FAKES_ROOTFS_H
#define KILN_FAKES_ROOTFS_H

#include "base/err.h"

/*
 * A tiny image made of this machine's own programs and the libraries they need, so that sandbox
 * tests need no bootstrap and no network: /bin, /usr/bin, /lib…, and the empty folders that every
 * image has. `dir` must not exist. Readable by everybody, owned by the build user.
 */
int fake_rootfs_make(const char *dir, struct err *err);
/* One program more, by name or path, in its /bin. */
int fake_rootfs_add(const char *dir, const char *name, struct err *err);

#endif
