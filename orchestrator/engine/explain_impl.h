#ifndef KILN_ENGINE_EXPLAIN_IMPL_H
#define KILN_ENGINE_EXPLAIN_IMPL_H

#include "base/map.h"
#include "engine/explain.h"
#include "engine/side.h"

/* What the files of an explanation share. */
struct explainer {
	struct arena *arena;
	const struct explain_request *request;
	struct side_source source;
	const struct explanation **done; /* by node */
	struct map *pairs;               /* of two actions → explanation */
	struct map *by_address;          /* → node + 1; NULL until it is needed */
	struct map *causes;              /* of two premises → struct causes */
	char *kept; /* the last answer of explain_kept, and what it was asked for */
	const char *kept_of;
	int depth;
};

/* What the store keeps an address under; until the next call. */
const char *explain_kept(struct explainer *x, const char *address);
/* When an action ran, wall clock; 0 where that is not known. */
int64_t explain_ran_at(const struct explainer *x, const struct digest *action);
struct explanation *explain_new(struct explainer *x, const char *address, enum explained state,
                                enum reason reason);
/* Fills in what differs between two sides of a stage, with the stages that it comes of. */
int explain_compare(struct explainer *x, struct explanation *e, const struct side *before,
                    const struct side *after, struct err *err);
/* The output of a stage that an input waits for, as a change. */
int explain_wait(struct explainer *x, struct explanation *e, const struct side_input *input,
                 struct err *err);

#endif
