/*
 * Why the nodes of a plan run: each against what stood under its address before, in the order of the
 * plan, so that each finds those that it waits for explained.
 */
#include "engine/explain.h"

#include "base/alloc.h"
#include "engine/explain_impl.h"

/* ---- nodes of the plan ---------------------------------------------------------------------- */

/* What a node is compared with: the last action under its address, or the one before that where it is
 * the same. Returns 0 or STORE_MISS. */
static int action_before(struct explainer *x, const char *address, bool is_cached,
                         const struct digest *now, struct digest *ret, struct err *err)
{
	struct result result;
	int rc = store_last_action(x->request->store, explain_kept(x, address), ret, NULL, err);

	if (rc == 0 && is_cached && digest_eq(ret, now))
		return store_action_before(x->request->store, explain_kept(x, address), ret, err);
	/* It may have failed ever since it was first tried. */
	if (rc == STORE_MISS && !is_cached)
		rc = store_get_failure(x->request->store, x->arena, explain_kept(x, address), ret,
		                       &result, err);
	return rc;
}

static bool failed_as(struct explainer *x, const char *address, const struct digest *action)
{
	struct digest failed;
	struct result result;
	struct err ignored = ERR_INIT;

	return store_get_failure(x->request->store, x->arena, explain_kept(x, address), &failed,
	                         &result, &ignored) == 0 &&
	       digest_eq(&failed, action);
}

static bool may_wait_only(const struct explanation *e)
{
	for (size_t i = 0; i < e->changes.n; i++)
		if (e->changes.list[i].kind != CHANGE_STAGE || e->changes.list[i].before)
			return false;
	return true;
}

/* The stages that a node waits for, where it has nothing to be compared with. */
static int add_waits(struct explainer *x, struct explanation *e, size_t at, struct err *err)
{
	struct side_input input;

	for (size_t i = 0; i < x->request->plan->nodes[at].n_inputs; i++)
		if (side_waits(&x->source, at, i, &input) && explain_wait(x, e, &input, err) < 0)
			return -1;
	return 0;
}

static int compare_node(struct explainer *x, size_t at, struct explanation *e, struct err *err)
{
	const struct engine_node *node = &x->request->nodes[at];
	const bool known = !digest_is_none(&node->action);
	struct digest then;
	struct side before, after;
	int rc;

	if (e->state == EXPLAIN_RUNS && failed_as(x, e->address, &node->action)) {
		e->reason = REASON_FAILED;
		return 0;
	}
	rc = action_before(x, e->address, e->state == EXPLAIN_CACHED, &node->action, &then, err);
	if (rc < 0)
		return -1;
	if (rc == STORE_MISS) {
		e->reason = REASON_NEVER;
		return add_waits(x, e, at, err);
	}
	e->since_us = explain_ran_at(x, &then);
	if (known && digest_eq(&then, &node->action)) {
		e->reason = REASON_LOST;
		return 0;
	}
	rc = side_of_action(&x->source, explain_kept(x, e->address), &then, &before, err);
	if (rc == STORE_MISS) {
		e->reason = REASON_UNKNOWN;
		return add_waits(x, e, at, err);
	}
	if (rc < 0 || side_of_node(&x->source, at, &after, err) < 0 ||
	    explain_compare(x, e, &before, &after, err) < 0)
		return -1;
	e->found_again = e->state == EXPLAIN_CACHED && e->since_us &&
	                 explain_ran_at(x, &node->action) < e->since_us;
	if (e->state == EXPLAIN_MAY_RUN && !may_wait_only(e))
		e->state = EXPLAIN_RUNS;
	return 0;
}

static int explain_node(struct explainer *x, size_t at, struct err *err)
{
	const struct plan_node *node = &x->request->plan->nodes[at];
	const enum node_state state = x->request->nodes[at].state;
	struct explanation *e;

	e = explain_new(x, node->stage->address,
	                node->pinned                               ? EXPLAIN_PINNED :
	                state == NODE_CACHED || state == NODE_DONE ? EXPLAIN_CACHED :
	                state == NODE_WANT                         ? EXPLAIN_MAY_RUN :
	                                                             EXPLAIN_RUNS,
	                REASON_CHANGED);
	x->done[at] = e;
	return node->pinned ? 0 : compare_node(x, at, e, err);
}

/* What is asked for, and every stage that it waits for. */
static bool *mark(struct explainer *x, const bool *which)
{
	const struct plan *plan = x->request->plan;
	bool *marked = alloc_array(plan->n_nodes, sizeof(*marked));

	for (size_t i = plan->n_wanted; i-- > 0;) {
		size_t at = plan->order[i];
		const struct plan_node *node = &plan->nodes[at];

		if (!which || which[at])
			marked[at] = true;
		for (size_t d = 0; marked[at] && !node->pinned && d < node->n_deps; d++) {
			enum node_state state = x->request->nodes[node->deps[d]].state;

			if (state != NODE_CACHED && state != NODE_DONE && state != NODE_PINNED)
				marked[node->deps[d]] = true;
		}
	}
	return marked;
}

int explain(struct arena *arena, const struct explain_request *request, const bool *which,
            const struct explanation **ret, struct err *err)
{
	const struct plan *plan = request->plan;
	struct explainer x = {
		.arena = arena,
		.request = request,
		.source = { arena, store_blobs(request->store), request->store, plan,
		            request->facts, request->nodes, request->premises },
		.done = ret,
		.pairs = map_new(),
		.causes = map_new(),
	};
	bool *marked = mark(&x, which);
	int rc = store_look_begin(request->store, err);

	for (size_t i = 0; i < plan->n_wanted && rc == 0; i++)
		if (marked[plan->order[i]])
			rc = explain_node(&x, plan->order[i], err);
	store_look_end(request->store);
	free(marked);
	free(x.kept);
	map_free(x.pairs);
	map_free(x.causes);
	map_free(x.by_address);
	return rc;
}
