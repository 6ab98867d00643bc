#ifndef KILN_STORE_FLAT_H
#define KILN_STORE_FLAT_H

#include "model/tree.h"
#include "store/blobs.h"

/* A tree from the list of all its files and links: what git and manifests know. */
struct flat_entry {
	const char *path;      /* a tree path; its folders are made */
	struct tree_node node; /* a file or a link; its name is not looked at */
};

/*
 * Stores the Directory messages and returns the root. Sorts the entries by path. A path that is there
 * twice, or is another's folder, is ERR_INPUT naming it. In time that grows with the number of paths
 * (and their sorting), not with that of folders times paths.
 */
int flat_save(struct blobs *blobs, struct flat_entry *entries, size_t n, struct blob_ref *ret_root,
              struct err *err);

#endif
