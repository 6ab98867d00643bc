#ifndef KILN_RECIPE_WHOLE_H
#define KILN_RECIPE_WHOLE_H

#include "recipe/state.h"

/* What only the whole recipe shows: targets and variants that nothing declares, a recipe without a
 * release. ERR_INPUT at the place that names them. */
int whole_check(struct recipe_state *state, struct err *err);

#endif
