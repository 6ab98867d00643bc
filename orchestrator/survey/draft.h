#ifndef KILN_SURVEY_DRAFT_H
#define KILN_SURVEY_DRAFT_H

#include "base/buf.h"
#include "survey/survey.h"
#include "survey/training.h"

/* Writes a survey as a recipe: commented, and complete, so that it builds as it is. `triple`: the
 * target. `training`: the sketch of a workload, or NULL: nothing is optimised yet. */
void draft_write(struct survey *s, const char *triple, const struct training *training,
                 struct buf *ret);

#endif
