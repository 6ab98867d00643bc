/*
 * The document that the recipe's child hands back, from a child that may have been taken over: it is
 * refused, or planned for every purpose, with and without pins.
 */
#include "fuzz/fuzz.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "external/json.h"
#include "model/facts.h"
#include "model/recipe_doc.h"
#include "plan/plan.h"
#include "report/plan_text.h"

static void facts_init(struct facts *facts, struct arena *arena, const struct recipe *recipe)
{
	*facts = (struct facts){ .epoch = 1,
		                 .arch = "amd64",
		                 .leaves = map_new(),
		                 .images = map_new(),
		                 .pins = map_new(),
		                 .verdicts = map_new() };
	for (size_t i = 0; i < recipe->n_leaves; i++) {
		struct fact_leaf *leaf = arena_alloc(arena, sizeof(*leaf));

		leaf->node = (struct tree_node){ .name = "", .kind = NODE_DIR };
		map_set(facts->leaves, recipe->leaves[i].id, leaf);
	}
	for (size_t i = 0; i < recipe->n_targets; i++) {
		struct fact_image *image = arena_alloc(arena, sizeof(*image));

		image->compiler = "clang 19";
		map_set(facts->images, recipe->targets[i].image, image);
	}
}

static void facts_deinit(struct facts *facts)
{
	map_free(facts->leaves);
	map_free(facts->images);
	map_free(facts->pins);
	map_free(facts->verdicts);
}

static int put(void *data, const char *text, size_t n, struct err *err)
{
	(void)err;
	buf_add(data, text, n);
	return 0;
}

/* Everything stands behind what it takes, and is counted once. */
static void check_plan(const struct plan *plan, const struct facts *facts)
{
	size_t *at = arena_array(plan->arena, plan->n_nodes, sizeof(*at));
	_cleanup_buf_ struct buf text = BUF_INIT(64 << 20);
	_cleanup_json_ json_t *json = plan_json(plan, facts, NULL);
	struct err err = ERR_INIT;

	bug_on(!json);
	bug_on(plan_text(plan, facts, NULL, put, &text, &err) < 0);
	for (size_t i = 0; i < plan->n_wanted; i++) {
		struct plan_node *node = &plan->nodes[plan->order[i]];
		struct action action = plan_action(plan, node);

		bug_on(!node->wanted || at[plan->order[i]]);
		at[plan->order[i]] = i + 1;
		for (size_t d = 0; !node->pinned && d < node->n_deps; d++)
			bug_on(!at[node->deps[d]]);
		action_encode(&action, &text);
	}
}

static void pin_all(const struct plan *plan, struct facts *facts)
{
	for (size_t i = 0; i < plan->n_profiles; i++) {
		struct fact_pin *pin = arena_alloc(plan->arena, sizeof(*pin));

		pin->identity = plan->profiles[i].identity;
		pin->file = (struct tree_node){ .name = "", .kind = NODE_FILE };
		map_set(facts->pins, plan->profiles[i].profile->id, pin);
	}
	for (size_t i = 0; i < plan->n_goals; i++)
		if (plan->goals[i].smoke)
			map_set(facts->verdicts, plan->goals[i].smoke->target, facts);
}

static void plan_it(struct arena *arena, const struct recipe *recipe, const char *const *until)
{
	struct facts facts;

	facts_init(&facts, arena, recipe);
	for (int round = 0; round < 8; round++) {
		const struct plan_request request = {
			.purpose = (enum plan_purpose)(round % 3),
			.recipe = recipe,
			.facts = &facts,
			.until = until,
			.variant =
				round == 4 && recipe->n_smokes ? recipe->smokes[0].variant : NULL,
		};
		struct err err = ERR_INIT;
		struct plan *plan = NULL;

		facts.branch_stacks = round & 1;
		if (plan_build(arena, &request, &plan, &err) < 0) {
			bug_on(err.code == ERR_NONE || err.code == ERR_BUG || !err.cause[0]);
			continue;
		}
		check_plan(plan, &facts);
		pin_all(plan, &facts);
	}
	facts_deinit(&facts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const all[] = { "**", NULL };
	struct err err = ERR_INIT;
	_cleanup_json_ json_t *document = NULL;
	struct recipe recipe;
	struct arena *arena;

	if (json_parse((const char *)data, size, "input", &document, &err) < 0)
		return 0;
	arena = arena_new();
	if (recipe_read(arena, document, &recipe, &err) < 0) {
		bug_on(err.code == ERR_NONE || !err.cause[0]);
	} else {
		bug_on(recipe_find_target(&recipe, "no such triple") != NULL);
		plan_it(arena, &recipe, NULL);
		plan_it(arena, &recipe, all);
	}
	arena_free(arena);
	return 0;
}
