#ifndef KILN_REPORT_PLAN_TEXT_H
#define KILN_REPORT_PLAN_TEXT_H

#include "external/json.h"
#include "plan/plan.h"

/* What was found out about a node. */
struct plan_outlook {
	signed char
		cached; /* its result is known now: 1 yes, 0 no, -1 not until what it takes has run */
	const char *why; /* why it runs, in a few words; or NULL */
};

/* A plan for people and as JSON (schema "kiln.plan/1"). One of `outlook` a node; NULL: nobody looked. */
void plan_text(const struct plan *plan, const struct facts *facts,
               const struct plan_outlook *outlook, struct buf *text);
json_t *plan_json(const struct plan *plan, const struct facts *facts,
                  const struct plan_outlook *outlook);

#endif
