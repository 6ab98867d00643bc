#ifndef KILN_EXEC_CARRY_OUT_H
#define KILN_EXEC_CARRY_OUT_H

#include "base/buf.h"
#include "base/str.h"
#include "exec/run.h"

/*
 * Carries out one action: lays its inputs out, runs it in its sandbox (or shut in, when it is one of Kiln's
 * builtins), judges it, takes its outputs in. `request` is as exec/wire.h has it, userns_fd belongs to it; the
 * reply is written into `reply`, but for the lines that the stage says meanwhile, which go to reply_fd.
 *
 * The workshop is as it was before, or spent: it serves another action only after a stage that ended well, and
 * left nothing behind. Whatever else there was, nobody has to think about what it may have left.
 */
void carry_out(struct workshop *shop, struct str request, int userns_fd, int reply_fd,
               struct buf *reply);

#endif
