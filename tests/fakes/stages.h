#ifndef KILN_FAKES_STAGES_H
#define KILN_FAKES_STAGES_H

#include "model/stage.h"

/* Every member of two stages, and of what they were lowered to, is the same; else the test fails. */
void assert_same_stage(const struct stage *a, const struct stage *b);

#endif
