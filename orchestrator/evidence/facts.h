#ifndef KILN_EVIDENCE_FACTS_H
#define KILN_EVIDENCE_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "external/json.h"

/*
 * What is said about one release, by whoever built it: the evidence documents are functions of
 * this alone. Everything is borrowed.
 */
enum artefact_class {
	ARTEFACT_SHIPPED,  /* byte-equal on every rebuild: a subject of the provenance */
	ARTEFACT_EVIDENCE, /* verified, never compared */
};

struct artefact {
	const char *file;    /* name in dist/, one path part */
	const char *kind;    /* "archive", "deb", "sbom", "profile", "rebuild", "verdict", … */
	const char *target;  /* triple, or NULL: the whole release */
	const char *variant; /* or NULL */
	const char *media_type;
	struct blob_ref ref;
	enum artefact_class class;
	bool pinned;                   /* every input it was made of was pinned */
	struct digest unsigned_digest; /* before a signature was put inside; none: the same */
};

struct release_target {
	const char *triple;
	const char *variant;      /* what ships */
	const json_t *verdict;    /* object; {"kind": "declared", …} */
	const json_t *components; /* array of {type, name, version, purl, license, sha256} */
};

struct release_facts {
	const char *name, *version;
	const char *license, *summary, *homepage; /* may be NULL */
	const char *kiln_version;
	int64_t epoch;                     /* SOURCE_DATE_EPOCH */
	int64_t started, finished;         /* seconds since the epoch */
	const json_t *external, *internal; /* objects: what the user and what Kiln decided */
	const json_t *dependencies;        /* array of {uri, digest: {sha256}, name} */
	const json_t *notes; /* array of strings: what is not as it should be; or NULL */
	const struct release_target *targets;
	size_t n_targets;
	const struct artefact *artefacts;
	size_t n_artefacts;
};

/* "2026-11-20T12:00:00Z" into ret[]; returns ret. */
enum { FACTS_TIME_SIZE = 24 };
char *facts_time(int64_t seconds, char ret[FACTS_TIME_SIZE]);

#endif
