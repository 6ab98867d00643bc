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

/* Takes a piece of text, some whole lines. Returns 0, or -1 where no more is to come. */
typedef int (*plan_text_fn)(void *data, const char *text, size_t n, struct err *err);

/* A plan for people, in pieces, for there may be 100,000 lines; and as JSON (schema "kiln.plan/1"). One of
 * `outlook` a node; NULL: nobody looked. */
int plan_text(const struct plan *plan, const struct facts *facts,
              const struct plan_outlook *outlook, plan_text_fn put, void *data, struct err *err);
json_t *plan_json(const struct plan *plan, const struct facts *facts,
                  const struct plan_outlook *outlook);

#endif
