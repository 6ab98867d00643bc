#ifndef KILN_PLAN_POOLS_H
#define KILN_PLAN_POOLS_H

#include "plan/plan.h"

/* The recipe's pools become the plan's. */
void pools_take(struct plan *plan, const struct recipe *recipe);
/* The index of a pool; PLAN_NO_POOL for NULL. One that is not there is a bug: see plan_check_pools. */
uint32_t pools_find(const struct plan *plan, const char *name);

#endif
