#ifndef KILN_IMAGE_PLACE_H
#define KILN_IMAGE_PLACE_H

#include <stdint.h>

#include "base/digest.h"
#include "external/json.h"
#include "source/unpack.h"
#include "store/store.h"

/* Where unpacked images lie in a store, and when one counts as there. */
struct image_place_info {
	const char *name, *arch;
	struct digest tree;
	struct blob_ref manifest;
	uint64_t nodes, bytes;
	const json_t *section, *container; /* borrowed */
	bool imported; /* its packages are what a file says, not what made it here */
};

/* STORE/images/<hex>/root; caller frees. */
char *image_place_root(struct store *store, const struct digest *tree);
/*
 * Whether a complete image is there that belongs to the user builds run as and was made of exactly
 * what the lock section lists: what is said about an image must be true of it.
 */
bool image_place_has(struct store *store, const struct digest *tree, const json_t *section);
/* The completion marker, or NULL where no complete image is there. */
json_t *image_place_info(struct store *store, const struct digest *tree);
/* Takes an image away, its word that it is complete first. Nobody may use it. */
int image_place_remove(struct store *store, const struct digest *tree, struct err *err);
/* Removes what is no complete image: left by who was killed while making or removing one. Nobody may
 * work in the store. */
int image_place_sweep(struct store *store, struct err *err);
/* An unpacker that gives everything to the user builds run as, at the one time images have. */
void image_place_unpacker(struct unpacker *unpacker, int root_fd);
/* Syncs the folder `fresh` (with root/ in it, open as root_fd), marks it complete, renames it. */
int image_place(struct store *store, const char *fresh, int root_fd,
                const struct image_place_info *info, struct err *err);

#endif
