#ifndef KILN_STORE_TREES_H
#define KILN_STORE_TREES_H

#include "store/place.h"

/*
 * Large folders that were laid out once and are looked at by many stages, each through an overlay of its own
 * (sandbox/overlay.h): nobody writes to them, and they share no inode with blobs. STORE/trees/<digest>-<time>-
 * <uid>-<boot>/ is locked as long as somebody uses it; it is touched by each use; `root` is the tree,
 * as checkout_tree writes it. A tree appears whole, by rename, and is good for the kernel's present run: what
 * a power failure left of one is not looked at. All of them can be made anew from blobs: any collection and
 * any check takes them; of many, and where the disk is nearly full, the longest unused go.
 */
struct tree_use {
	int fd;     /* the folder, locked */
	char *root; /* absolute */
};

/* Outcome: there is no room for one, or somebody else makes or removes it and takes long. */
enum { TREES_NONE = 1 };

/* Finds a directory's tree or makes it. Returns 0 or TREES_NONE; `store_dir` is absolute. */
int trees_use(const char *store_dir, struct blobs *blobs, const struct blob_ref *directory,
              const struct checkout_options *options, struct tree_use *ret, struct err *err);
void trees_end_use(struct tree_use *use); /* zeroed is fine */

/* Whether a directory holds at least so many files and links. What cannot be read holds none. */
bool trees_is_large(struct blobs *blobs, const struct blob_ref *directory, size_t least);

/* Takes all of them, when nobody uses one: the caller is alone in the store. */
int trees_remove(int store_fd, struct err *err);

#endif
