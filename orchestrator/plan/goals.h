#ifndef KILN_PLAN_GOALS_H
#define KILN_PLAN_GOALS_H

#include "base/map.h"
#include "plan/plan.h"

/* Chooses what a plan is carried out for; `index` maps addresses to nodes. See plan_build. */
int goals_choose(struct plan *plan, const struct plan_request *request, struct map *index,
                 struct err *err);
/*
 * Adds, behind all other goals, what the held-out runs do that training never saw: of each profile
 * that is wanted and trained here, since the programs that count are built then anyway. Every node
 * that the others need is marked as wanted.
 */
int goals_add_unseen(struct plan *plan, const struct plan_request *request, struct map *index,
                     struct err *err);

#endif
