#ifndef KILN_ENGINE_READY_H
#define KILN_ENGINE_READY_H

#include "engine/engine.h"

/*
 * The nodes that may start, the highest rank first: a binary heap, for a plan may have all its stages
 * ready at once. Of equal ranks the one that stands first in the plan goes first.
 */
struct ready {
	const struct engine_node *nodes; /* whose ranks count; borrowed */
	size_t *heap;                    /* in an arena, with room for every node */
	size_t n;
};

void ready_init(struct ready *ready, struct arena *arena, const struct engine_node *nodes,
                size_t most);
void ready_add(struct ready *ready, size_t at);
/* The first one, which stays; false where there is none. */
bool ready_first(const struct ready *ready, size_t *ret_at);
void ready_drop_first(struct ready *ready);

#endif
