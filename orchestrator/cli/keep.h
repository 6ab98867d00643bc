#ifndef KILN_CLI_KEEP_H
#define KILN_CLI_KEEP_H

#include "base/map.h"
#include "cli/session.h"

/*
 * What a collection must leave: the store remembers, as facts of the kind "keep", the locks that were
 * read and the releases that were written with it, and what those are made of. One whose file is gone
 * keeps nothing any more.
 */
int keep_lock(struct session *session, struct err *err);
/* A release in a folder that ends in its name. */
int keep_dist(struct session *session, const struct plan *plan, const struct engine_result *result,
              const char *dir, struct err *err);
/* Adds the digests of all that is kept (store/gc.h); forgets what is gone, unless `dry`. */
int keep_needed(struct store *store, bool dry, struct map *needed, struct err *err);

#endif
