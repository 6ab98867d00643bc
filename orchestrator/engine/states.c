/*
 * The states of nodes: they only move forward (WANT → READY → RUNNING → DONE or FAILED, or → CACHED,
 * SKIPPED), and every move is told.
 */
#include "engine/engine_impl.h"

#include "engine/estimate.h"
#include "engine/inputs.h"
#include "engine/side.h"
#include "host/clock.h"
#include "store/directory.h"

enum { MANY = 1000 }; /* nodes whose keys are made at once */

const char *engine_kept(const struct engine *e, size_t at)
{
	return engine_kept_under(e->arena, e->request->recipe, e->plan->nodes[at].stage->address);
}

const char *engine_kept_under(struct arena *arena, const char *recipe, const char *address)
{
	return recipe ? arena_fmt(arena, "%s:%s", recipe, address) : address;
}

/* ---- events ------------------------------------------------------------------------------- */

static void add_estimates(struct engine *e, struct event *event)
{
	size_t critical;

	event->left_us =
		estimate_left(e->plan, e->nodes, resources_slots(e->request->jobs), &critical);
	event->critical = critical == SIZE_MAX ? NULL : &e->plan->nodes[critical];
}

void engine_emit(struct engine *e, enum event_kind kind, const struct plan_node *node,
                 struct event *event)
{
	struct event_sink *const *sink = e->request->sinks;

	event->kind = kind;
	event->plan = e->plan;
	event->node = node;
	event->n_done = e->result->n_run;
	event->n_cached = e->result->n_cached;
	event->n_failed = e->result->n_failed;
	event->n_running = e->resources.running;
	event->n_left = e->n_left;
	event->nodes = e->nodes;
	event->left_us = -1;
	if (kind == EVENT_TICK || kind == EVENT_BEGIN)
		add_estimates(e, event);
	for (; sink && *sink; sink++)
		(*sink)->event(*sink, event);
}

/* ---- states ------------------------------------------------------------------------------- */

void engine_skip(struct engine *e, size_t at)
{
	struct event event = { .action = e->nodes[at].action };

	e->nodes[at].state = NODE_SKIPPED;
	e->result->n_skipped++;
	e->n_left--;
	engine_emit(e, EVENT_SKIPPED, &e->plan->nodes[at], &event);
}

void engine_skip_dependants(struct engine *e)
{
	for (size_t i = 0; i < e->plan->n_wanted; i++) {
		const struct plan_node *node = &e->plan->nodes[e->plan->order[i]];
		bool lost = false;

		if (e->nodes[e->plan->order[i]].state != NODE_WANT || node->pinned)
			continue;
		for (size_t d = 0; d < node->n_deps; d++) {
			enum node_state state = e->nodes[node->deps[d]].state;

			lost |= state == NODE_FAILED || state == NODE_SKIPPED;
		}
		if (lost)
			engine_skip(e, e->plan->order[i]);
	}
}

void engine_release_users(struct engine *e, size_t at)
{
	const struct plan_node *node = &e->plan->nodes[at];

	for (size_t i = 0; i < node->n_users; i++) {
		struct engine_node *user = &e->nodes[node->users[i]];

		bug_on(user->pending == 0);
		if (--user->pending == 0 && user->state == NODE_WANT)
			e->fresh[e->n_fresh++] = node->users[i];
	}
}

void engine_finish(struct engine *e, size_t at, enum node_state state, int64_t wall_us)
{
	struct engine_node *n = &e->nodes[at];
	struct event event = { .wall_us = wall_us, .action = n->action };

	n->state = state;
	e->n_left--;
	if (state == NODE_CACHED)
		e->result->n_cached++;
	else
		e->result->n_run++;
	engine_emit(e, state == NODE_CACHED ? EVENT_CACHED : EVENT_DONE, &e->plan->nodes[at],
	            &event);
	engine_release_users(e, at);
}

/* From now on it is what its address means; a hit on what was so already writes nothing. */
static int note_cached(struct engine *e, size_t at, struct err *err)
{
	const struct engine_node *n = &e->nodes[at];
	int rc;

	if (engine_is_dev(e, at) || digest_eq(&n->last, &n->action))
		return 0;
	rc = store_note_action(e->request->store, engine_kept(e, at), &n->action,
	                       n->result->wall_us, err);

	return rc == STORE_NOTED ? engine_keep_origins(e, at, err) : rc;
}

int engine_keep_origins(struct engine *e, size_t at, struct err *err)
{
	return side_keep(e->request->store, engine_kept(e, at), e->plan, e->nodes, at,
	                 &e->request->premises, err);
}

int engine_finish_cached(struct engine *e, size_t at, const struct result *result, struct err *err)
{
	struct engine_node *n = &e->nodes[at];

	n->result = result;
	if (!e->request->dry && note_cached(e, at, err) < 0)
		return -1;
	engine_finish(e, at, NODE_CACHED, result->wall_us);
	return 0;
}

/* The same work stands in this run under another name: take its result, its fate, or wait for it. */
static int make_twin(struct engine *e, size_t at, size_t same, struct err *err)
{
	switch (e->nodes[same].state) {
	case NODE_DONE:
	case NODE_CACHED: /* another process made it meanwhile */
		return engine_finish_cached(e, at, e->nodes[same].result, err);
	case NODE_FAILED:
	case NODE_SKIPPED:
		engine_skip(e, at);
		engine_skip_dependants(e);
		return 0;
	default:
		e->nodes[at].twin = same;
		e->nodes[at].state = NODE_READY;
		e->n_twins++;
		return 0;
	}
}

void engine_on_first_failure(struct engine *e)
{
	engine_skip_dependants(e);
	if (!e->request->keep_going)
		e->stopping = true;
	if (e->request->fail_fast)
		e->request->executor->ops->cancel(e->request->executor);
}

/* What it takes of another stage is not there: it fails without having run. */
static int fail_unrun(struct engine *e, size_t at, struct err *err)
{
	struct event event = { .exit_code = -1, .why = arena_str(e->arena, err->cause) };

	e->nodes[at].state = NODE_FAILED;
	e->result->n_failed++;
	e->n_left--;
	err_set(&e->first, ERR_STAGE, "%s failed: %s", e->plan->nodes[at].stage->address,
	        event.why);
	engine_emit(e, EVENT_FAILED, &e->plan->nodes[at], &event);
	err_clear(err);
	if (!e->request->dry)
		engine_on_first_failure(e);
	return 0;
}

/* ---- from inputs to results ----------------------------------------------------------------- */

/* Everything it takes is there: its key. Returns 1 where it failed by that. */
static int make_key(struct engine *e, size_t at, struct err *err)
{
	struct engine_node *n = &e->nodes[at];
	struct blob_ref action;
	int rc;

	rc = inputs_key(e->unkept, e->plan, e->request->facts, e->nodes, at, e->request->ledger,
	                &action, err);
	if (rc < 0)
		return err->code == ERR_STAGE && fail_unrun(e, at, err) == 0 ? 1 : -1;
	n->action = action.digest;
	n->action_size = action.size;
	rc = e->request->ledger ? ledger_result(e->request->ledger, at, e->arena, &n->result, err) :
	                          0;
	return rc < 0 ? -1 : 0;
}

static int action_cmp(const void *a, const void *b, void *data)
{
	const struct engine_node *nodes = data;

	return memcmp(&nodes[*(const size_t *)a].action, &nodes[*(const size_t *)b].action,
	              sizeof(nodes->action));
}

/* Of those whose results are not known yet, in the order that the database has them in: of many each page
 * is then read once. */
static int find_results(struct engine *e, const size_t *batch, size_t n, struct err *err)
{
	size_t *sorted = alloc_array(n, sizeof(*sorted)), unknown = 0;
	int rc = store_look_begin(e->request->store, err);

	for (size_t i = 0; i < n; i++)
		if (!e->nodes[batch[i]].result)
			sorted[unknown++] = batch[i];
	n = unknown;
	qsort_r(sorted, n, sizeof(*sorted), action_cmp, e->nodes);
	for (size_t i = 0; i < n && rc >= 0; i++) {
		struct engine_node *node = &e->nodes[sorted[i]];

		/* What waits for the same work in this run will have its result. */
		if (map_get_n(e->by_action, &node->action, sizeof(node->action)))
			continue;
		rc = engine_get_result(e, sorted[i], &node->result, err);
	}
	free(sorted);
	return rc < 0 ? -1 : 0;
}

/* Its key is made and was looked up: it is done, waits for its twin, or may run. */
static int settle(struct engine *e, size_t at, struct err *err)
{
	struct engine_node *n = &e->nodes[at];
	size_t same = (size_t)(uintptr_t)map_get_n(e->by_action, &n->action, sizeof(n->action));

	if (same)
		return make_twin(e, at, same - 1, err);
	if (n->result)
		return engine_finish_cached(e, at, n->result, err);
	if (!e->request->dry && engine_keep_action(store_blobs(e->request->store), e->plan,
	                                           e->request->facts, e->nodes, at, err) < 0)
		return -1;
	map_set_n(e->by_action, &n->action, sizeof(n->action), (void *)(uintptr_t)(at + 1));
	n->state = NODE_READY;
	n->ready_us = clock_mono_us();
	ready_add(&e->ready, at);
	return 0;
}

/* All that are fresh now, the last one first; what they release is fresh anew. */
static int settle_fresh(struct engine *e, struct err *err)
{
	size_t n = 0;

	if (store_look_begin(e->request->store, err) < 0)
		return -1;
	for (size_t i = e->n_fresh; i-- > 0;) {
		int rc = make_key(e, e->fresh[i], err);

		if (rc < 0)
			return -1;
		if (rc == 0)
			e->keyed[n++] = e->fresh[i];
	}
	e->n_fresh = 0;
	/* What was looked into for many keys is large, and mostly not needed again. */
	if (n >= MANY)
		directory_forget(e->unkept);
	if (find_results(e, e->keyed, n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (settle(e, e->keyed[i], err) < 0)
			return -1;
	return 0;
}

int engine_make_fresh_ready(struct engine *e, struct err *err)
{
	int rc = 0;

	while (e->n_fresh > 0 && rc == 0)
		rc = settle_fresh(e, err);
	store_look_end(e->request->store);
	return rc;
}
