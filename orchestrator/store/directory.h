#ifndef KILN_STORE_DIRECTORY_H
#define KILN_STORE_DIRECTORY_H

#include "base/arena.h"
#include "model/tree.h"
#include "store/blobs.h"

/* One Directory message to and from the store's blobs. */

/* A directory that is missing is ERR_IO; nodes live in the arena. */
int directory_load(struct blobs *blobs, struct arena *arena, const struct blob_ref *ref,
                   struct tree_dir *ret, struct err *err);
/*
 * The node of a name in a directory, its strings in the arena. What was read of large directories is
 * kept for the next question: many stages may each take one file of the same. Returns 0,
 * DIRECTORY_LACKS, or -1 as directory_load.
 */
enum { DIRECTORY_LACKS = 1 };
int directory_find(struct blobs *blobs, struct arena *arena, const struct blob_ref *ref,
                   struct str name, struct tree_node *ret, struct err *err);
/* Frees what is kept. */
void directory_forget(struct blobs *blobs);
/* Sorts the nodes in place. */
int directory_save(struct blobs *blobs, struct tree_dir *dir, struct blob_ref *ret,
                   struct err *err);

#endif
