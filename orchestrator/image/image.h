#ifndef KILN_IMAGE_IMAGE_H
#define KILN_IMAGE_IMAGE_H

#include <stdbool.h>

#include "base/array.h"
#include "base/digest.h"
#include "base/log.h"
#include "external/json.h"
#include "store/store.h"

/*
 * Pinned root file systems. An image is named by the digest of its tree (image/tree.h) and lies
 * unpacked in STORE/images/<hex>/root; it is there when STORE/images/<hex>/complete is. It is made
 * from Debian packages that the store keeps, always by way of a local archive of exactly these
 * packages, so a build that resolves and a build from the lock take the same way.
 */
struct image_request {
	const char *name;        /* of the container */
	const json_t *container; /* its parsed definition */
	const char *arch;        /* build architecture, Debian's name; NULL: this machine's */
	const json_t *lock;      /* section images.NAME.ARCH, or NULL: resolve */
	bool offline;
	bool update;        /* without a lock: resolve anew, though an earlier answer is known */
	const char *mirror; /* an address the user named, or NULL */
};

struct image {
	struct digest tree;
	char *root_path;      /* absolute */
	json_t *lock_section; /* what the lock says or should say (image/section.h) */
	bool resolved_now;
	char *resolved_on; /* "2026-01-31" when no lock pinned it, else NULL */
};

void image_deinit(struct image *image);
#define _cleanup_image_ _cleanup_(image_deinit)

/*
 * Gives the image, building it when the store lacks it. Two processes that want the same image
 * build it once. A tree that differs from the lock's is ERR_INPUT; see image/fetch.h and
 * image/bootstrap.h for the other refusals.
 */
int image_ensure(struct store *store, const struct image_request *request, struct log *log,
                 struct image *ret, struct err *err);

/* What is unpacked in the store, sorted by digest. */
struct image_entry {
	char hex[DIGEST_HEX_SIZE];
	json_t *info; /* the completion marker: name, architecture, manifest, lock section, bytes */
};
struct image_entries {
	ARRAY(struct image_entry) list;
};
void image_entries_deinit(struct image_entries *entries);
int image_list(struct store *store, struct image_entries *ret, struct err *err);

#endif
