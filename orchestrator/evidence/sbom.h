#ifndef KILN_EVIDENCE_SBOM_H
#define KILN_EVIDENCE_SBOM_H

#include "evidence/facts.h"

/*
 * A bill of materials per target: what the shipped artefacts were made of. Bytes depend on the
 * facts alone (the date is the release's epoch, the serial number comes from the content), so an
 * SBOM is an artefact like any other.
 */
json_t *sbom_cyclonedx(const struct release_facts *facts, const struct release_target *target);
json_t *sbom_spdx(const struct release_facts *facts, const struct release_target *target);

#define SBOM_CYCLONEDX_MEDIA "application/vnd.cyclonedx+json"
#define SBOM_SPDX_MEDIA "application/spdx+json"

#endif
