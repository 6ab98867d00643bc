#ifndef KILN_IMAGE_BOOTSTRAP_H
#define KILN_IMAGE_BOOTSTRAP_H

#include "base/err.h"
#include "base/log.h"
#include "image/unpack.h"
#include "source/deb.h"
#include "store/blobs.h"

/*
 * Installs packages into an empty root with mmdebstrap and unpacks what comes out. Needs no
 * network; as root in mmdebstrap's root mode, else in its user-namespace mode: the trees are equal.
 */
struct bootstrap {
	const char *suite;
	const char *const *architectures; /* NULL-ended, the native one first */
	const struct debs *packages;      /* all of them are installed, no others */
	const char *scratch;              /* a folder of the store, used as root */
};

/* Whether this machine can, with that folder of a store: ERR_MACHINE with the line to type where it
 * cannot. Nothing needs to be there yet. */
int bootstrap_check(const char *scratch, struct err *err);
int bootstrap_run(struct blobs *blobs, const struct bootstrap *bootstrap,
                  struct image_unpack *unpack, struct log *log, struct err *err);

#endif
