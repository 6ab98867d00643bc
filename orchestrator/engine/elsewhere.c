/*
 * Work that is done under another name in this run, or by another process: it is not done twice, but
 * waited for.
 */
#include "engine/engine_impl.h"

/* ---- twins: the same action in this run ------------------------------------------------------ */

static bool waits_for(const struct engine *e, size_t at, size_t of)
{
	return e->nodes[at].state == NODE_READY && e->nodes[at].twin == of && at != of;
}

/* Nodes that waited for the same action in this run. */
int engine_finish_twins(struct engine *e, size_t of, struct err *err)
{
	for (size_t i = 0; e->n_twins > 0 && i < e->plan->n_wanted; i++) {
		if (!waits_for(e, e->plan->order[i], of))
			continue;
		e->n_twins--;
		if (engine_finish_cached(e, e->plan->order[i], e->nodes[of].result, err) < 0)
			return -1;
	}
	return 0;
}

/* Nodes that waited for the same action will not get it either. */
void engine_skip_twins(struct engine *e, size_t of)
{
	for (size_t i = 0; e->n_twins > 0 && i < e->plan->n_wanted; i++)
		if (waits_for(e, e->plan->order[i], of)) {
			e->n_twins--;
			engine_skip(e, e->plan->order[i]);
		}
}

/* ---- actions that other processes run ------------------------------------------------------- */

void engine_release_claim(struct engine *e, size_t at)
{
	if (e->claimed[at])
		store_release_claim(e->request->store, &e->nodes[at].action);
	e->claimed[at] = false;
}

static int claim_now(struct engine *e, size_t at, struct err *err)
{
	int rc = store_claim(e->request->store, &e->nodes[at].action, err);

	e->claimed[at] = rc == 0;
	return rc;
}

/* What was made since it was looked up is taken. Returns 1 where it was. */
static int take_made(struct engine *e, size_t at, struct err *err)
{
	const struct result *result;
	int rc = engine_get_result(e, at, &result, err);

	if (rc)
		return rc < 0 ? -1 : 0;
	engine_release_claim(e, at);
	if (engine_finish_cached(e, at, result, err) < 0 || engine_finish_twins(e, at, err) < 0)
		return -1;
	return 1;
}

/* Claims a node's action. Returns 0: it is to be run here; 1: it is not, or not now. */
int engine_claim(struct engine *e, size_t at, struct err *err)
{
	int rc;

	if (e->claimed[at])
		return 0;
	rc = claim_now(e, at, err);
	if (rc < 0)
		return -1;
	if (rc == 0)
		return take_made(e, at, err);
	e->elsewhere[e->n_elsewhere++] = at;
	engine_emit(e, EVENT_WAIT, &e->plan->nodes[at],
	            &(struct event){ .action = e->nodes[at].action });
	return 1;
}

/* What another process ran is there now, or it gave up and the node is ready to run here. */
int engine_look_elsewhere(struct engine *e, struct err *err)
{
	size_t n = 0;

	for (size_t i = 0; i < e->n_elsewhere; i++) {
		size_t at = e->elsewhere[i];
		int rc = claim_now(e, at, err);

		if (rc == 0)
			rc = take_made(e, at, err);
		else if (rc == STORE_CLAIMED)
			e->elsewhere[n++] = at;
		if (rc < 0)
			return -1;
		if (rc == 0)
			ready_add(&e->ready, at);
	}
	e->n_elsewhere = n;
	return 0;
}
