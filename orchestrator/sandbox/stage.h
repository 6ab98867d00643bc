#ifndef KILN_SANDBOX_STAGE_H
#define KILN_SANDBOX_STAGE_H

#include "sandbox/spec.h"

/*
 * Makes root file system and work folder reachable for the build user when Kiln runs as root: a
 * store below a 0700 home is not reachable after the drop, and no descriptor helps. Enters a mount
 * namespace of its own, puts a tmpfs over a folder that everybody can reach, binds both and the
 * job server's folder there, and rewrites spec->rootfs, spec->work and spec->jobs. A no-op for who is not root.
 */
int sandbox_stage(struct sandbox_spec *spec, struct err *err);
/* Takes these mounts away, when nothing is entered any more: before that, what is mounted in the work folder
 * stays in the way. A second time nothing happens. */
void sandbox_unstage(struct sandbox_spec *spec);

#endif
