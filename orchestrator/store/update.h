#ifndef KILN_STORE_UPDATE_H
#define KILN_STORE_UPDATE_H

#include "store/place.h"

/*
 * Makes a folder that holds one tree, and what else somebody made in it, hold another tree: what differs
 * between the two is written anew, with the time of `options` (now, so that make sees it), what the other
 * lacks is removed, all else stays as it is. Returns 0, or UPDATE_LOST where the folder no longer holds
 * the folders of the tree.
 */
enum { UPDATE_LOST = 1 };
int update_tree(struct blobs *blobs, const struct blob_ref *from, const struct blob_ref *to,
                int dirfd, const struct checkout_options *options, struct err *err);

#endif
