#ifndef KILN_PLAN_IDENTITY_H
#define KILN_PLAN_IDENTITY_H

#include "model/facts.h"
#include "model/recipe_doc.h"

/*
 * What a profile belongs to: SHA-256 of the canonical JSON {after, compiler, flags, id, kind, maker,
 * sources, target}. A pinned profile whose identity differs was trained on something else. `maker`
 * is how the program was made (plan/maker.h); `after` the content of the profile it stands on (a
 * BOLT profile describes one binary, which one compiler profile made), or NULL.
 */
int profile_identity(const struct recipe *recipe, const struct recipe_profile *profile,
                     const struct facts *facts, const struct digest *maker,
                     const struct digest *after, struct digest *ret, struct err *err);

#endif
