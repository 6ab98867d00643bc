#ifndef KILN_EVIDENCE_VERDICT_H
#define KILN_EVIDENCE_VERDICT_H

#include "evidence/facts.h"

/*
 * The verdict document, schema "kiln.verdict/1": per target what ships and on what grounds.
 * {"schema", "name", "version", "targets": {TRIPLE: {"kind": "declared", …}}}
 */
#define VERDICT_SCHEMA "kiln.verdict/1"

json_t *verdict_new(const struct release_facts *facts);

#endif
