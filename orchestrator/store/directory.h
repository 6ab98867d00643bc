#ifndef KILN_STORE_DIRECTORY_H
#define KILN_STORE_DIRECTORY_H

#include "base/arena.h"
#include "model/tree.h"
#include "store/blobs.h"

/* One Directory message to and from the store's blobs. */

/* A directory that is missing is ERR_IO; nodes live in the arena. */
int directory_load(struct blobs *blobs, struct arena *arena, const struct blob_ref *ref,
                   struct tree_dir *ret, struct err *err);
/* Sorts the nodes in place. */
int directory_save(struct blobs *blobs, struct tree_dir *dir, struct blob_ref *ret,
                   struct err *err);

#endif
