#ifndef KILN_REFERENCE_RECIPE_H
#define KILN_REFERENCE_RECIPE_H

#include "base/err.h"
#include "reference/paper.h"

/* The reference of what recipes can call, from the annotations: after the page's title. */
void reference_recipe(const struct paper *paper, const char *annotations, struct buf *out);
/* The reference of a YAML file, from its JSON schema. */
int reference_schema(const struct paper *paper, const char *schema, size_t n, const char *what,
                     struct buf *out, struct err *err);

#endif
