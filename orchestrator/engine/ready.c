/* A binary heap over node indices. */
#include "engine/ready.h"

#include "base/alloc.h"

void ready_init(struct ready *ready, struct arena *arena, const struct engine_node *nodes,
                size_t most)
{
	*ready = (struct ready){ .nodes = nodes };
	ready->heap = arena_array(arena, most, sizeof(*ready->heap));
}

static bool goes_before(const struct ready *ready, size_t a, size_t b)
{
	int64_t ranks[2] = { ready->nodes[a].rank, ready->nodes[b].rank };

	return ranks[0] != ranks[1] ? ranks[0] > ranks[1] : a < b;
}

void ready_add(struct ready *ready, size_t at)
{
	size_t hole = ready->n++;

	while (hole > 0 && goes_before(ready, at, ready->heap[(hole - 1) / 2])) {
		ready->heap[hole] = ready->heap[(hole - 1) / 2];
		hole = (hole - 1) / 2;
	}
	ready->heap[hole] = at;
}

bool ready_first(const struct ready *ready, size_t *ret_at)
{
	if (ready->n == 0)
		return false;
	*ret_at = ready->heap[0];
	return true;
}

void ready_drop_first(struct ready *ready)
{
	size_t last = ready->heap[--ready->n], hole = 0;

	for (;;) {
		size_t child = 2 * hole + 1;

		if (child >= ready->n)
			break;
		if (child + 1 < ready->n &&
		    goes_before(ready, ready->heap[child + 1], ready->heap[child]))
			child++;
		if (!goes_before(ready, ready->heap[child], last))
			break;
		ready->heap[hole] = ready->heap[child];
		hole = child;
	}
	ready->heap[hole] = last;
}
