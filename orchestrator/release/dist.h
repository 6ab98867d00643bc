#ifndef KILN_RELEASE_DIST_H
#define KILN_RELEASE_DIST_H

#include "evidence/facts.h"
#include "release/signer.h"
#include "release/verify.h"
#include "store/blobs.h"

/*
 * The release folder. Written aside and renamed, in this order: artefacts (with an SBOM in two
 * forms per target, and NAME-VERSION.rebuild.tar), verdict, provenance, public key, report,
 * manifest, sums, signature of the sums.
 */
struct dist_rebuild {
	const char *path; /* tree path in the rebuild archive */
	struct blob_ref ref;
};

struct dist_input {
	struct release_facts
		facts; /* artefacts: the packages and profiles; the rest is made here */
	const struct dist_rebuild *rebuild;
	size_t n_rebuild;
	const struct signer *signer; /* NULL: unsigned */
	bool replace;                /* a release that is there and differs gives way */
	const char *out;             /* the release folder itself: "dist/gawk-5.2.1" */
};

struct dist_result {
	size_t n_artefacts;
	bool is_signed, development; /* of the release that lies there now */
	bool claimed;                /* it says so itself: no key was there to check it with */
	char *fingerprint;           /* NULL: unsigned */
};

void dist_result_deinit(struct dist_result *result);

/* Outcome: the folder holds this release already; it was verified and nothing was written. */
enum { DIST_SAME = 1 };

/*
 * Writes a release. Returns 0 or DIST_SAME. A folder that holds other artefacts, or is signed by
 * somebody else, is ERR_DENIED without `replace`; one that holds no release is never touched. With
 * `replace` and without a signer a signed one is written anew, unsigned, to be signed by another key.
 */
int dist_write(struct blobs *blobs, const struct dist_input *input, struct dist_result *ret,
               struct err *err);

/*
 * Signs an unsigned release after checking it. Returns 0, or DIST_SAME where this key signed it
 * already. A release that does not hold, or that another key signed, is ERR_DENIED.
 */
int dist_sign(const char *dir, const struct signer *signer, struct dist_result *ret,
              struct err *err);

#endif
