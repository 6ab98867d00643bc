#ifndef KILN_PLAN_MAKER_H
#define KILN_PLAN_MAKER_H

#include "base/map.h"
#include "plan/plan.h"

/*
 * How the program is made that a profile describes: SHA-256 over the lowered stages that lead to the
 * instrumented program (configure, compile, link: arguments, environment, what they take of each
 * other and of which sources). Not in it: the training runs, which may change while the profile
 * still fits; other profiles, whose content `after` stands for; and the release's date. `index`
 * maps addresses to nodes, which must be lowered.
 */
int profile_maker(const struct plan *plan, const struct recipe_profile *profile,
                  const struct plan_request *request, const struct map *index, struct digest *ret,
                  struct err *err);

#endif
