#ifndef KILN_IMAGE_FETCH_H
#define KILN_IMAGE_FETCH_H

#include "base/log.h"
#include "image/definition.h"
#include "image/section.h"
#include "source/apt.h"
#include "store/blobs.h"

/*
 * Packages of an image: found in Debian's archive by name, brought into the store by digest.
 */
struct image_source {
	const struct image_definition *definition;
	const char *scratch; /* an absolute folder that may be filled */
	const char *mirror;  /* named by the user, or NULL */
	bool offline;
	struct log *log;
	struct apt *apt; /* the mirror's index, once it was read; deinit frees it */
};

void image_source_deinit(struct image_source *source);

/* Asks the archive what the definition means today: names, versions and digests, no tree. */
int image_resolve(struct image_source *source, struct image_section *ret, struct err *err);
/*
 * Brings every file of the section into the store: what is not there (from an earlier build or an
 * imported archive) comes from the mirror, then from the configured snapshot archive, and only with
 * the digest the section says. A version that is nowhere is ERR_INPUT naming it and the ways on.
 */
int image_fetch(struct blobs *blobs, struct image_source *source,
                const struct image_section *section, struct err *err);

#endif
