/* Pools: stages of which only so many run at once, whatever the machine has. */
#include "plan/pools.h"

#include "base/alloc.h"
#include "base/str.h"

void pools_take(struct plan *plan, const struct recipe *recipe)
{
	plan->n_pools = recipe->n_pools;
	plan->pools = arena_array(plan->arena, plan->n_pools, sizeof(*plan->pools));
	for (size_t i = 0; i < plan->n_pools; i++)
		plan->pools[i] =
			(struct plan_pool){ recipe->pools[i].name, recipe->pools[i].places };
}

uint32_t pools_find(const struct plan *plan, const char *name)
{
	size_t i = 0;

	if (!name)
		return PLAN_NO_POOL;
	while (i < plan->n_pools && !str_eq(plan->pools[i].name, name))
		i++;
	bug_on(i == plan->n_pools || i >= PLAN_NO_POOL);
	return (uint32_t)i;
}

static int refuse(const struct recipe *recipe, const struct stage *stage, const char *pool,
                  struct err *err)
{
	const char **names = alloc_array(recipe->n_pools + 1, sizeof(*names));
	const char *near;

	for (size_t i = 0; i < recipe->n_pools; i++)
		names[i] = recipe->pools[i].name;
	near = str_nearest(pool, names);
	free(names);
	err_set(err, ERR_INPUT, "%s: %s runs in the pool \"%s\", which the release does not have",
	        stage->where, stage->address, pool);
	return near ? err_hint(err, "did you mean \"%s\"?", near) :
	              err_hint(err, "add it to the release: pools = { %s = 1 }", pool);
}

/* The pool that a stage names, or NULL; *ret_options keeps its text. */
static const char *pool_of(const struct stage *stage, json_t **ret_options)
{
	if (stage->lowered)
		return stage->lowered->needs->pool;
	*ret_options = stage_options(stage);
	return json_str_or(*ret_options, "pool", NULL);
}

int plan_check_pools(const struct recipe *recipe, struct err *err)
{
	for (size_t i = 0; i < recipe->n_stages; i++) {
		const struct stage *stage = &recipe->stages[i];
		_cleanup_json_ json_t *options = NULL;
		const char *pool = pool_of(stage, &options);
		size_t at = 0;

		while (pool && at < recipe->n_pools && !str_eq(recipe->pools[at].name, pool))
			at++;
		if (pool && at == recipe->n_pools)
			return refuse(recipe, stage, pool, err);
	}
	return 0;
}
