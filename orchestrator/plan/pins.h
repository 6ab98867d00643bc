#ifndef KILN_PLAN_PINS_H
#define KILN_PLAN_PINS_H

#include "base/map.h"
#include "plan/plan.h"

/* Profiles in a plan: which are pinned, and which way the others are made. `index` maps addresses to
 * nodes. */

/* What a reference means on this machine: a profile that can be sampled here is. */
struct ref pins_choose_ref(const struct plan_request *request, const struct map *index,
                           struct ref ref);
/* Fills plan->profiles, and pins nodes. A profile that comes of no stage or output, or stands on
 * none before it, is ERR_INPUT. */
int pins_choose(struct plan *plan, const struct plan_request *request, struct map *index,
                struct err *err);
/* Refuses wanted stages that take of a pinned one what the lock does not have. */
int pins_check(const struct plan *plan, struct err *err);

/* Whether a stage declares an output at or above a path. */
bool plan_node_offers(const struct plan_node *node, const char *path);
/* The path itself; where it is left out, the only output there is. */
const char *plan_whole_path(const struct plan_node *node, const char *path);

#endif
