#ifndef KILN_PLAN_GOALS_H
#define KILN_PLAN_GOALS_H

#include "base/map.h"
#include "plan/plan.h"

/* Chooses what a plan is carried out for; `index` maps addresses to nodes. See plan_build. */
int goals_choose(struct plan *plan, const struct plan_request *request, struct map *index,
                 struct err *err);

#endif
