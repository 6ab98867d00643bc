/* What stages take of sources, once something is to run. */
#include "engine/engine_impl.h"
#include "engine/inputs.h"

int engine_check_sources(struct engine *e, struct err *err)
{
	if (e->checked)
		return 0;
	e->checked = true;
	return inputs_check(e->unkept, e->plan, e->request->facts, e->nodes, err);
}

/* A stage of another key than the last run's may take what nobody has looked at. */
int engine_bring_sources(struct engine *e, size_t at, struct err *err)
{
	const struct engine_request *r = e->request;
	struct event event = { 0 };
	int rc = 0;

	if (r->take_sources && !e->taken)
		rc = inputs_are_there(r->store, e->plan, r->facts, &e->plan->nodes[at], err);
	if (rc != STORE_MISS)
		return rc;
	e->taken = true;
	event.why = "content of its sources is missing from the store: they are taken in again";
	engine_emit(e, EVENT_NOTE, &e->plan->nodes[at], &event);
	return r->take_sources(r->take_sources_data, err);
}
