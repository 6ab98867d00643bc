/* What a plan would do here, and why. */
#include "cli/why.h"

#include "cli/premises.h"
#include "image/place.h"

int why_look(struct session *s, const struct plan *plan, struct engine_result *ret, struct err *err)
{
	const struct engine_request request = {
		.plan = plan,
		.facts = &s->facts,
		.store = s->store,
		.recipe = s->recipe.name,
		.jobs = s->cli->jobs,
		.dry = true,
		.cancel_fd = -1,
	};

	return engine_run(s->arena, &request, ret, err);
}

bool *why_would_run(struct session *s, const struct plan *plan, const struct engine_result *looked)
{
	bool *would = arena_array(s->arena, plan->n_nodes, sizeof(*would));

	for (size_t i = 0; i < plan->n_nodes; i++)
		would[i] = plan->nodes[i].wanted && !plan->nodes[i].pinned &&
		           looked->nodes[i].state != NODE_CACHED;
	return would;
}

static json_t *packages_of(void *data, const struct digest *image)
{
	struct session *s = data;
	_cleanup_json_ json_t *info = image_place_info(s->store, image);

	return json_incref(json_object_get(json_object_get(info, "lock"), "packages"));
}

int why_explain(struct session *s, const struct plan *plan, const struct engine_result *looked,
                const bool *which, const struct explanation **ret, struct err *err)
{
	struct explain_request request = {
		.plan = plan,
		.facts = &s->facts,
		.store = s->store,
		.recipe = s->recipe.name,
		.nodes = looked->nodes,
		.packages = packages_of,
		.data = s,
	};

	if (premises_keep(s, &request.premises, err) < 0)
		return -1;
	return explain(s->arena, &request, which, ret, err);
}
