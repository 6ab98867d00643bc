#ifndef KILN_MODEL_CONTAINER_H
#define KILN_MODEL_CONTAINER_H

#include "model/definition.h"

/* A container file: the distribution, suite and packages that an image is made of. */
extern const struct schema_field container_fields[];

/* Returns 0, DEFINITION_UNKNOWN, or -1 with the place in the file. */
int container_load(const char *project, const char *name, struct definition *ret, struct err *err);

#endif
