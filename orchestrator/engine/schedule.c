/*
 * Which ready node starts next, and what of the machine it gets. The highest rank goes first, and what
 * it waits for it alone waits for: nothing overtakes it, or a large stage would wait for ever where
 * small ones come all the time. Only who waits for a place in a pool is overtaken, for others do not
 * need what it needs.
 */
#include "base/alloc.h"
#include "engine/engine_impl.h"
#include "host/clock.h"

/* Twice as long each time. */
enum { AGAIN_US = 1000000, AGAIN_DOUBLINGS = 6 };

static void init_pools(struct engine *e)
{
	const struct plan *plan = e->plan;
	size_t *members = arena_array(e->arena, plan->n_pools, sizeof(*members));

	for (size_t i = 0; i < plan->n_nodes; i++)
		if (plan->nodes[i].pool != PLAN_NO_POOL)
			members[plan->nodes[i].pool]++;
	e->pooled = arena_array(e->arena, plan->n_pools, sizeof(*e->pooled));
	for (size_t i = 0; i < plan->n_pools; i++)
		ready_init(&e->pooled[i], e->arena, e->nodes, members[i]);
}

void schedule_init(struct engine *e)
{
	size_t n = e->plan->n_nodes;

	ready_init(&e->ready, e->arena, e->nodes, n);
	resources_init(&e->resources, e->arena, e->plan, e->request->jobs, e->request->memory);
	e->running = arena_array(e->arena, n, sizeof(*e->running));
	init_pools(e);
	e->again = arena_array(e->arena, n, sizeof(*e->again));
}

/* What is lent when no more is offered than the rest that a node would leave. */
static int lent_beside(struct engine *e, size_t at)
{
	struct jobserver *js = e->request->jobserver;
	int cpus = e->plan->nodes[at].lowered->needs->cpus, rest = resources_tokens(&e->resources);

	if (!js)
		return 0;
	rest -= cpus > 1 ? cpus : 1;
	jobserver_share(js, rest > 0 ? rest : 0);
	return jobserver_lent(js);
}

static void leave_machine(struct engine *e)
{
	if (e->resources.running == 0 && e->request->alone)
		alone_leave(e->request->alone);
}

/* The machine is shared with other kilns, or this one's alone. Returns 0 or SCHEDULE_NONE. */
static int enter_machine(struct engine *e, size_t at, struct err *err)
{
	struct alone *alone = e->request->alone;
	bool exclusive = e->plan->nodes[at].lowered->needs->exclusive;
	struct event event = { .action = e->nodes[at].action };
	int rc = !alone ? 0 : exclusive ? alone_take(alone, err) : alone_share(alone, err);

	e->outside = rc == ALONE_BUSY;
	/* Who has nothing running must not keep others out while he waits. */
	if (e->outside && !exclusive)
		leave_machine(e);
	if (rc <= 0)
		return rc;
	if (e->waits_outside != at + 1) {
		event.why = exclusive ? "until it has the machine for itself: another kiln works" :
		                        "another kiln has the machine for itself";
		engine_emit(e, EVENT_WAIT, &e->plan->nodes[at], &event);
	}
	e->waits_outside = at + 1;
	return SCHEDULE_NONE;
}

int schedule_take(struct engine *e, size_t *ret_at, struct err *err)
{
	size_t at;
	int rc;

	e->outside = false;
	while (ready_first(&e->ready, &at)) {
		enum resources_fit fit = resources_fit(&e->resources, at, 0);

		if (fit == RESOURCES_FREE)
			fit = resources_fit(&e->resources, at, lent_beside(e, at));
		if (fit == RESOURCES_POOL) {
			ready_drop_first(&e->ready);
			ready_add(&e->pooled[e->plan->nodes[at].pool], at);
			continue;
		}
		rc = fit == RESOURCES_FREE ? enter_machine(e, at, err) : SCHEDULE_NONE;
		if (rc)
			return rc;
		ready_drop_first(&e->ready);
		*ret_at = at;
		return 0;
	}
	return SCHEDULE_NONE;
}

void schedule_started(struct engine *e, size_t at)
{
	e->running[e->resources.running] = at;
	resources_take(&e->resources, at);
}

static void remove_running(struct engine *e, size_t at)
{
	size_t i = 0;

	while (i < e->resources.running && e->running[i] != at)
		i++;
	bug_on(i == e->resources.running);
	e->running[i] = e->running[e->resources.running - 1];
}

/* A place in its pool is free: the first of those that wait for one may try again. */
static void free_place(struct engine *e, size_t pool)
{
	size_t next;

	if (pool == PLAN_NO_POOL || !ready_first(&e->pooled[pool], &next))
		return;
	ready_drop_first(&e->pooled[pool]);
	ready_add(&e->ready, next);
}

void schedule_passed(struct engine *e, size_t at)
{
	free_place(e, e->plan->nodes[at].pool);
	leave_machine(e);
}

void schedule_ended(struct engine *e, size_t at)
{
	remove_running(e, at);
	resources_give(&e->resources, at);
	free_place(e, e->plan->nodes[at].pool);
	leave_machine(e);
}

void schedule_again(struct engine *e, size_t at)
{
	struct engine_node *n = &e->nodes[at];
	int tries = n->stint->tries;
	int doublings = tries < AGAIN_DOUBLINGS ? tries : AGAIN_DOUBLINGS;

	n->state = NODE_READY;
	n->ready_us = clock_mono_us() + ((int64_t)AGAIN_US << (doublings - 1));
	e->again[e->n_again++] = at;
}

void schedule_wake(struct engine *e)
{
	int64_t now = clock_mono_us();
	size_t n = 0;

	for (size_t i = 0; i < e->n_again; i++)
		if (e->nodes[e->again[i]].ready_us <= now)
			ready_add(&e->ready, e->again[i]);
		else
			e->again[n++] = e->again[i];
	e->n_again = n;
}

/* While the first ready node waits for tokens, what comes back is kept for it. */
static bool waits_for_tokens(struct engine *e)
{
	size_t at;

	return !e->stopping && ready_first(&e->ready, &at) &&
	       resources_fit(&e->resources, at, 0) == RESOURCES_FREE && !e->outside;
}

void schedule_share(struct engine *e)
{
	struct jobserver *js = e->request->jobserver;

	if (!js)
		return;
	jobserver_share(js, waits_for_tokens(e) ? 0 : resources_tokens(&e->resources));
	for (size_t i = 0; i < e->resources.running; i++) {
		struct engine_stint *stint = e->nodes[e->running[i]].stint;

		stint->tokens = jobserver_lent_to(js, e->running[i]);
		if (stint->tokens > stint->most_tokens)
			stint->most_tokens = stint->tokens;
	}
}
