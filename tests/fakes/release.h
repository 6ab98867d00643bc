#ifndef KILN_TESTS_FAKES_RELEASE_H
#define KILN_TESTS_FAKES_RELEASE_H

#include "release/dist.h"

/*
 * A small made-up release of "hello" 1.0 for two targets: archives, a package and a profile out of
 * in-memory blobs, with everything that evidence wants. Change `input` before writing.
 */
struct fake_release {
	struct blobs *blobs;
	struct artefact artefacts[4];
	struct release_target targets[2];
	struct dist_rebuild rebuild[2];
	json_t *documents[8];
	struct dist_input input;
};

void fake_release_init(struct fake_release *fake, const char *out);
void fake_release_deinit(struct fake_release *fake);
/* The private key tests/data/keys/NAME as a signer. */
struct signer *fake_signer(const char *name, bool development);

#endif
