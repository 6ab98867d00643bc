#ifndef KILN_FRONT_REPLAY_H
#define KILN_FRONT_REPLAY_H

#include "base/buf.h"
#include "base/err.h"

/*
 * Says again what the last run of this command line said, when nothing has changed since: 0. Or
 * REPLAY_STALE, and the run is to be done. `store` is its folder. See snapshot/snapshot.h.
 */
enum { REPLAY_STALE = 1 };
int replay(const char *store, const struct buf *key, struct err *err);

#endif
