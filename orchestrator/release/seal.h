#ifndef KILN_RELEASE_SEAL_H
#define KILN_RELEASE_SEAL_H

#include "external/json.h"
#include "release/signer.h"

/*
 * The last steps of a release, the same for a new one and for one that is signed later: into a
 * folder that holds artefacts and verdict go provenance, public key, report, manifest, sums and the
 * signature of the sums. The documents are changed on the way: marks, signing, new files.
 */
struct seal {
	int dirfd;
	const char *base; /* NAME-VERSION */
	json_t *manifest; /* lists what is there already, nothing else */
	json_t *verdict, *statement;
	const struct signer *signer; /* NULL: unsigned */
};

int seal_release(struct seal *seal, struct err *err);

/* Writes a file of the release and returns what it is, for the manifest. */
int seal_write(int dirfd, const char *name, const void *p, size_t n, struct blob_ref *ret,
               struct err *err);

#endif
