/* Counting what runs. */
#include "engine/resources.h"

#include "base/alloc.h"

void resources_init(struct resources *r, struct arena *arena, const struct plan *plan, int jobs,
                    int64_t memory)
{
	*r = (struct resources){ .plan = plan, .jobs = jobs > 1 ? jobs : 1, .memory = memory };
	r->pooled = arena_array(arena, plan->n_pools, sizeof(*r->pooled));
}

size_t resources_slots(int jobs)
{
	return jobs > 1 ? (size_t)jobs + 1 : 1;
}

/* Processors that a stage keeps busy; at most all there are. */
static int cpus_of(const struct resources *r, const struct plan_node *node)
{
	int cpus = node->lowered->needs->cpus > 0 ? node->lowered->needs->cpus : 1;

	return cpus < r->jobs ? cpus : r->jobs;
}

/* The sum, or as much as the type can say. */
static int64_t at_most(int64_t a, int64_t b)
{
	return a > INT64_MAX - b ? INT64_MAX : a + b;
}

static bool pool_is_full(const struct resources *r, const struct plan_node *node)
{
	return node->pool != PLAN_NO_POOL &&
	       r->pooled[node->pool] >= r->plan->pools[node->pool].places;
}

enum resources_fit resources_fit(const struct resources *r, size_t at, int lent)
{
	const struct plan_node *node = &r->plan->nodes[at];
	int cpus = r->cpus + cpus_of(r, node);
	int64_t memory = at_most(r->promised, node->lowered->needs->memory);

	if (r->running == 0)
		return RESOURCES_FREE;
	if (pool_is_full(r, node))
		return RESOURCES_POOL;
	if (r->exclusive || node->lowered->needs->exclusive || cpus > (int)resources_slots(r->jobs))
		return RESOURCES_BUSY;
	if (r->memory && node->lowered->needs->memory && memory > r->memory)
		return RESOURCES_BUSY;
	return cpus + lent > (int)resources_slots(r->jobs) ? RESOURCES_TOKENS : RESOURCES_FREE;
}

static void count(struct resources *r, size_t at, int sign)
{
	const struct plan_node *node = &r->plan->nodes[at];

	r->cpus += sign * cpus_of(r, node);
	if (node->pool != PLAN_NO_POOL)
		r->pooled[node->pool] += (size_t)sign;
	r->running += (size_t)sign;
	r->exclusive = sign > 0 && node->lowered->needs->exclusive;
}

void resources_take(struct resources *r, size_t at)
{
	count(r, at, 1);
	r->promised = at_most(r->promised, r->plan->nodes[at].lowered->needs->memory);
}

void resources_give(struct resources *r, size_t at)
{
	count(r, at, -1);
	r->promised -= r->plan->nodes[at].lowered->needs->memory;
	if (r->running == 0)
		r->promised = 0;
}

int resources_tokens(const struct resources *r)
{
	return r->exclusive || r->cpus > r->jobs ? 0 : r->jobs - r->cpus;
}
