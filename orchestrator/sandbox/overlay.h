#ifndef KILN_SANDBOX_OVERLAY_H
#define KILN_SANDBOX_OVERLAY_H

#include <stdbool.h>

#include "base/err.h"

/*
 * A folder that is seen as another one, `lower`, which nobody changes; what is changed in it goes to `upper`
 * (https://docs.kernel.org/filesystems/overlayfs.html). All paths are absolute; `work` is an empty folder of
 * the kernel's own in the file system of `upper`.
 */
struct overlay {
	const char *at, *lower, *upper, *work;
};

/* Enters a mount namespace of its own, where overlays can be mounted and nobody else sees them. Who is not
 * root enters a user namespace for that, in which he is himself. Only a process of one thread. Returns 0, or
 * OVERLAY_NONE, and all is as it was, or -1: it stopped half-way, and nothing can be run from here. */
enum { OVERLAY_NONE = 1 };
int overlay_enter(struct err *err);
/* After overlay_enter(). */
int overlay_mount(const struct overlay *overlay, struct err *err);
/* Takes it away, whoever has files of it open. */
void overlay_unmount(const char *at);

/*
 * Whether overlays work whose uppers lie in that folder, which is empty afterwards as it was before: in a
 * child, one is mounted, and a folder of its lower is removed and made again, which some file systems and
 * kernels get wrong.
 */
bool overlay_works(const char *dir);

#endif
