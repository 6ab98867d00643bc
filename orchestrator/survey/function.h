#ifndef KILN_SURVEY_FUNCTION_H
#define KILN_SURVEY_FUNCTION_H

#include "survey/makefile.h"

/*
 * The functions of make (GNU make manual, 8) by which Makefiles ask on which system they are:
 * $(filter PATTERNS,TEXT), $(filter-out …), $(findstring FIND,IN), $(strip TEXT), and $(shell uname …) as
 * Linux answers it. `inner` is what stands between the parentheses. False where it is another one.
 */
bool function_expand(const struct makefile *m, const char *inner, const char *target,
                     struct buf *out);

#endif
