#ifndef KILN_REPORT_PLAN_TEXT_H
#define KILN_REPORT_PLAN_TEXT_H

#include "external/json.h"
#include "plan/plan.h"

/*
 * A plan for people and as JSON (schema "kiln.plan/1"). `cached` says per node whether its result
 * is known now: 1 yes, 0 no, -1 unknown until what it takes has run; NULL: nobody looked.
 */
void plan_text(const struct plan *plan, const struct facts *facts, const signed char *cached,
               struct buf *text);
json_t *plan_json(const struct plan *plan, const struct facts *facts, const signed char *cached);

#endif
