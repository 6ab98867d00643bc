/*
 * Where results are kept. What was built by increments depends on what was built before: it is known by
 * another digest than its action's, where nobody finds it who does not build so himself.
 */
#include "engine/engine_impl.h"
#include "exec/dev.h"

bool engine_is_dev(const struct engine *e, size_t at)
{
	return e->request->dev && e->plan->nodes[at].lowered->incremental;
}

int engine_get_result(struct engine *e, size_t at, const struct result **ret, struct err *err)
{
	struct engine_node *n = &e->nodes[at];
	struct result result;
	int rc = store_get_result(e->request->store, e->arena, &n->action, &result, err);
	struct digest dev;

	if (rc == STORE_MISS && engine_is_dev(e, at)) {
		dev = dev_digest(&n->action);
		rc = store_get_result(e->request->store, e->arena, &dev, &result, err);
		n->dev = rc == 0;
	}
	if (rc == 0)
		*ret = arena_dup(e->arena, &result, sizeof(result));
	return rc;
}

/* Under another address, too: what `explain` says of a stage is of the real one. */
const char *engine_kept_dev(struct arena *arena, const char *recipe, const char *address)
{
	return arena_fmt(arena, "dev %s", engine_kept_under(arena, recipe, address));
}

static const char *kept_dev(const struct engine *e, size_t at)
{
	return engine_kept_dev(e->arena, e->request->recipe, e->plan->nodes[at].stage->address);
}

int engine_put_result(struct engine *e, size_t at, struct result *result, struct err *err)
{
	const struct engine_node *n = &e->nodes[at];
	struct digest dev;

	if (!engine_is_dev(e, at))
		return store_put_result(e->request->store, &n->action, engine_kept(e, at), result,
		                        err);
	dev = dev_digest(&n->action);
	return store_put_result(e->request->store, &dev, kept_dev(e, at), result, err);
}

int engine_put_failure(struct engine *e, size_t at, struct result *result, struct err *err)
{
	const struct engine_node *n = &e->nodes[at];
	struct digest dev;

	if (!engine_is_dev(e, at))
		return store_put_failure(e->request->store, engine_kept(e, at), &n->action, result,
		                         err);
	dev = dev_digest(&n->action);
	return store_put_failure(e->request->store, kept_dev(e, at), &dev, result, err);
}
