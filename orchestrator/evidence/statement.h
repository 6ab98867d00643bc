#ifndef KILN_EVIDENCE_STATEMENT_H
#define KILN_EVIDENCE_STATEMENT_H

#include "evidence/manifest.h"

/*
 * The provenance: an in-toto v1 statement with the SLSA v1 predicate. It claims no SLSA level. Its
 * subjects are the files of class "artefact". Marks ("notes", a development key) stand in
 * internalParameters.
 */
#define STATEMENT_TYPE "https://in-toto.io/Statement/v1"
#define STATEMENT_PREDICATE "https://slsa.dev/provenance/v1"
#define STATEMENT_MEDIA "application/vnd.in-toto+json"
#define STATEMENT_BUILD "urn:kiln:release:1"
#define STATEMENT_BUILDER "urn:kiln:builder:local"

json_t *statement_new(const struct release_facts *facts);
/* Marks that a development key signs (or, false, takes the mark out). */
void statement_set_development(json_t *statement, bool development);
void statement_write(const json_t *statement, struct buf *buf);

/*
 * Checks a statement that was authenticated: types, and that its subjects are exactly the
 * artefacts of the manifest, name and digest. ERR_DENIED says what differs.
 */
int statement_check(const json_t *statement, const struct manifest *manifest, struct err *err);
bool statement_is_development(const json_t *statement);

#endif
