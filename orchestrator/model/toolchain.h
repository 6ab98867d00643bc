#ifndef KILN_MODEL_TOOLCHAIN_H
#define KILN_MODEL_TOOLCHAIN_H

#include "model/definition.h"

/*
 * A toolchain file: which tools of which image compile for which triples, and what runs the
 * result. Recipes see its target section through `toolchain(TRIPLE)`.
 */
extern const struct schema_field toolchain_fields[];

/* Returns 0, DEFINITION_UNKNOWN, or -1 with the place in the file. */
int toolchain_load(const char *project, const char *name, struct definition *ret, struct err *err);
/*
 * What the toolchain says for one triple (without its glibc part), as one object: name, image,
 * path, build, tools, link_flags, and the target's own cc, cxx, host, debian, emulator, bolt. A new
 * reference, or NULL when the toolchain does not list the triple.
 */
json_t *toolchain_target(const struct definition *toolchain, const char *name, const char *triple);

#endif
