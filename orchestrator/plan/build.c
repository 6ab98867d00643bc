/*
 * From recipe and facts to a plan: lower every stage, tie references, pin profiles, choose goals,
 * mark what they need, order it. Each step is one pass over the nodes.
 */
#include "plan/plan.h"

#include "base/alloc.h"
#include "base/map.h"
#include "base/str.h"
#include "plan/goals.h"
#include "plan/order.h"
#include "plan/pins.h"
#include "plan/pools.h"
#include "stages/stage.h"

/* ---- lowering ----------------------------------------------------------------------------- */

/* Variables that say the same in every stage of a release, or come from outside the key. */
static int check_env(const struct plan_node *node, struct err *err)
{
	static const struct {
		const char *name, *hint;
	} reserved[] = {
		{ "SOURCE_DATE_EPOCH", "it is the release's date, as on every file: set date" },
		{ "KILN_JOBS", "it is the number of jobs that the machine gives the stage" },
	};
	const struct action *action = &node->lowered->action;

	for (size_t i = 0; i < action->n_env; i++)
		for (size_t j = 0; j < ARRAY_LEN(reserved); j++) {
			if (!str_eq(action->env[i].name, reserved[j].name))
				continue;
			err_set(err, ERR_INPUT, "%s: %s sets %s, which Kiln itself sets",
			        node->stage->where, node->stage->address, reserved[j].name);
			return err_hint(err, "%s", reserved[j].hint);
		}
	return 0;
}

/* The environment every stage of a target has. */
static struct action_env *fixed_env(struct arena *arena, const struct plan_request *request,
                                    const struct recipe_target *target, uint32_t *ret_n)
{
	const struct action_env fixed[] = {
		{ "HOME", "/tmp" },
		{ "LC_ALL", "C.UTF-8" },
		{ "LOGNAME", "builder" },
		{ "PATH", target ? target->path : "/usr/bin:/bin" },
		{ "SOURCE_DATE_EPOCH", arena_fmt(arena, "%lld", (long long)request->facts->epoch) },
		{ "TZ", "UTC" },
		{ "USER", "builder" },
	};

	*ret_n = ARRAY_LEN(fixed);
	return arena_dup(arena, fixed, sizeof(fixed));
}

/* Made once for each target; the stage before is mostly of the same one. */
static void find_env(struct plan *plan, const struct plan_request *request,
                     const struct recipe_target *target)
{
	if (plan->env && plan->env_target == target)
		return;
	plan->env = fixed_env(plan->arena, request, target, &plan->n_env);
	plan->env_target = target;
}

/* A stage's own variables win. One that has none shares those of its target: encoding an action sorts
 * them in place, and they are sorted. */
static int add_fixed_env(struct plan *plan, const struct plan_request *request,
                         struct plan_node *node, struct err *err)
{
	const struct action *action = &node->lowered->action;
	size_t n = action->n_env;
	struct action_env *env;

	if (check_env(node, err) < 0)
		return -1;
	find_env(plan, request, recipe_find_target(request->recipe, node->stage->target));
	if (n == 0) {
		node->env = plan->env;
		node->n_env = plan->n_env;
		return 0;
	}
	env = arena_array(plan->arena, n + plan->n_env, sizeof(*env));
	memcpy(env, action->env, n * sizeof(*env));
	for (size_t i = 0; i < plan->n_env; i++) {
		bool own = false;

		for (size_t j = 0; j < action->n_env; j++)
			own |= str_eq(env[j].name, plan->env[i].name);
		if (!own)
			env[n++] = plan->env[i];
	}
	node->env = env;
	node->n_env = (uint32_t)n;
	return 0;
}

static int set_image(const struct plan_request *request, struct plan_node *node, struct err *err)
{
	const struct stage *stage = node->stage;
	const struct recipe_target *target = recipe_find_target(request->recipe, stage->target);
	const char *name = node->lowered->image;
	const struct fact_image *image;

	if (node->lowered->action.builtin)
		return 0;
	if (!name && target)
		name = target->image;
	image = name ? map_get(request->facts->images, name) : NULL;
	if (!image)
		return err_set(err, ERR_INPUT, "%s: %s needs the image \"%s\", which is not known",
		               stage->where, stage->address, name ? name : "?");
	node->image = &image->tree;
	return 0;
}

struct action plan_action(const struct plan *plan, const struct plan_node *node)
{
	struct action action = node->lowered->action;

	action.env = node->env;
	action.n_env = node->n_env;
	action.arch = plan->arch;
	action.image = node->image;
	return action;
}

/* What a stage was lowered to as it was read, else now. */
static const struct stage_lowered *find_lowered(struct plan *plan, const struct stage *stage,
                                                struct err *err)
{
	struct stage_lowered *lowered;

	if (stage->lowered)
		return stage->lowered;
	lowered = arena_alloc(plan->arena, sizeof(*lowered));
	return stage_lower(stage, plan->arena, lowered, err) < 0 ? NULL : lowered;
}

/* Lowers a node's stage, or what the plan makes of it. */
static int lower_node(struct plan *plan, const struct plan_request *request, struct plan_node *node,
                      const struct stage *stage, struct err *err)
{
	node->lowered = find_lowered(plan, stage, err);
	if (!node->lowered || set_image(request, node, err) < 0)
		return -1;
	node->pool = pools_find(plan, node->lowered->needs->pool);
	return add_fixed_env(plan, request, node, err);
}

/* Two inputs at one place would only be found when all before them has run. */
static int check_places(const struct plan_node *node, struct err *err)
{
	const struct stage_lowered *l = node->lowered;
	struct map *seen;
	int rc = 0;

	if (l->n_inputs < 2)
		return 0;
	seen = map_new_borrowing();
	for (size_t i = 0; i < l->n_inputs && rc == 0; i++) {
		if (map_has(seen, l->inputs[i].at))
			rc = err_set(err, ERR_INPUT, "%s: %s has two inputs at \"%s\"",
			             node->stage->where, node->stage->address, l->inputs[i].at);
		map_set(seen, l->inputs[i].at, (void *)&l->inputs[i]);
	}
	map_free(seen);
	return rc;
}

static int lower_all(struct plan *plan, const struct plan_request *request, struct map *index,
                     struct err *err)
{
	const struct recipe *recipe = request->recipe;

	for (size_t i = 0; i < recipe->n_stages; i++) {
		struct plan_node *node = &plan->nodes[i];

		node->stage = &recipe->stages[i];
		if (map_has(index, node->stage->address))
			return err_set(err, ERR_INPUT, "%s: the stage %s is declared twice",
			               node->stage->where, node->stage->address);
		if (lower_node(plan, request, node, node->stage, err) < 0 ||
		    check_places(node, err) < 0)
			return -1;
		map_set(index, node->stage->address, node);
	}
	return 0;
}

/* ---- pinned verdicts ----------------------------------------------------------------------- */

/* The pinned digest of each case, or NULL where one lacks: a new reference. */
static json_t *expected_of(const json_t *digests, const json_t *cases)
{
	json_t *expected = json_array(), *name;
	size_t i;

	json_array_foreach (cases, i, name) {
		const char *digest = json_str_or(digests, json_string_value(name), NULL);

		if (!digest) {
			json_decref(expected);
			return NULL;
		}
		json_array_append_new(expected, json_string(digest));
	}
	return expected;
}

/* The smoke test of a variant against the digests in the verdict: no reference is built for it. */
static int judge_by_verdict(struct plan *plan, const struct plan_request *request,
                            struct plan_node *node, const json_t *digests, struct err *err)
{
	_cleanup_json_ json_t *options = stage_options(node->stage);
	json_t *expected = expected_of(digests, json_object_get(options, "cases"));
	struct stage judged = *node->stage;

	if (!expected)
		return 0;
	json_object_del(options, "reference");
	json_object_set_new(options, "expected", expected);
	judged.options = options;
	judged.lowered = NULL;
	return lower_node(plan, request, node, &judged, err);
}

/*
 * What stands for a variant's smoke test compares with the pinned verdict, where there is one. Other
 * stages of that kind, a recipe's own, stay as they are.
 */
static int judge_all(struct plan *plan, const struct plan_request *request, struct map *index,
                     struct err *err)
{
	const struct recipe *recipe = request->recipe;

	for (size_t i = 0; i < recipe->n_smokes; i++) {
		const struct recipe_smoke *smoke = &recipe->smokes[i];
		const json_t *verdict = plan_verdict(plan, request->facts, smoke->target);
		struct plan_node *node = map_get(index, smoke->stage);

		if (verdict && node && str_eq(node->stage->kind, "smoke") &&
		    judge_by_verdict(
			    plan, request, node,
			    json_object_get(json_object_get(verdict, "smoke"), smoke->variant),
			    err) < 0)
			return -1;
	}
	return 0;
}

/* ---- references --------------------------------------------------------------------------- */

static int refuse_ref(const struct plan_node *user, const struct ref *ref, const char *why,
                      struct err *err)
{
	return err_set(err, ERR_INPUT, "%s: %s takes \"%s%s%s\", %s", user->stage->where,
	               user->stage->address, ref->id, ref->path[0] ? ":" : "", ref->path, why);
}

static int tie_input(struct plan *plan, const struct plan_request *request, struct map *index,
                     struct plan_node *node, struct plan_input *input, struct err *err)
{
	struct plan_node *from;

	if (input->from.kind == REF_TEXT || input->from.kind == REF_SCRIPT)
		return 0;
	if (input->from.kind == REF_LEAF) {
		if (!map_has(request->facts->leaves, input->from.id))
			return refuse_ref(node, &input->from, "which is no source of the recipe",
			                  err);
		return 0;
	}
	from = map_get(index, input->from.id);
	if (!from)
		return refuse_ref(node, &input->from, "which is no stage of the recipe", err);
	input->from.path = plan_whole_path(from, input->from.path);
	if (!plan_node_offers(from, input->from.path))
		return refuse_ref(node, &input->from, "which that stage does not declare as output",
		                  err);
	input->node = (size_t)(from - plan->nodes);
	for (size_t i = 0; i < node->n_deps; i++)
		if (node->deps[i] == input->node)
			return 0;
	node->deps[node->n_deps++] = input->node;
	return 0;
}

static int tie_node(struct plan *plan, const struct plan_request *request, struct map *index,
                    struct plan_node *node, struct err *err)
{
	for (size_t i = 0; i < node->n_inputs; i++) {
		const struct stage_input *from = &node->lowered->inputs[i];

		node->inputs[i].at = from->at;
		node->inputs[i].from = pins_choose_ref(request, index, from->from);
		if (tie_input(plan, request, index, node, &node->inputs[i], err) < 0)
			return -1;
	}
	return 0;
}

static int tie_all(struct plan *plan, const struct plan_request *request, struct map *index,
                   struct err *err)
{
	struct plan_input *inputs;
	size_t *deps, n = 0;

	for (size_t i = 0; i < plan->n_nodes; i++)
		n += plan->nodes[i].lowered->n_inputs;
	inputs = arena_array(plan->arena, n, sizeof(*inputs));
	deps = arena_array(plan->arena, n, sizeof(*deps));
	for (size_t i = 0; i < plan->n_nodes; i++) {
		struct plan_node *node = &plan->nodes[i];

		bug_on(node->lowered->n_inputs > UINT32_MAX);
		node->n_inputs = (uint32_t)node->lowered->n_inputs;
		node->inputs = inputs;
		node->deps = deps;
		inputs += node->n_inputs;
		deps += node->n_inputs;
		if (tie_node(plan, request, index, node, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- what is wanted, in order ------------------------------------------------------------- */

/* What is asked for first, then what only then is worth asking for. */
static int want_all(struct plan *plan, const struct plan_request *request, struct map *index,
                    struct order *order, struct err *err)
{
	size_t first = 0;

	for (int round = 0; round < 2; round++) {
		for (size_t i = first; i < plan->n_goals; i++)
			if (order_want(order, plan->goals[i].node, err) < 0)
				return -1;
		first = plan->n_goals;
		if (round == 0 && !(request->until && request->until[0]) &&
		    goals_add_unseen(plan, request, index, err) < 0)
			return -1;
	}
	return 0;
}

static int want_goals(struct plan *plan, const struct plan_request *request, struct map *index,
                      struct err *err)
{
	struct order order;
	int rc;

	order_init(&order, plan);
	rc = want_all(plan, request, index, &order, err);
	order_deinit(&order);
	return rc;
}

/*
 * The instrumented stage whose work a node's work holds, through whatever packs or rewrites it, or
 * NULL. A profile may come of it: that path ends at the stage that compiles with the profile.
 */
static const struct plan_node *find_instrumented(const struct plan *plan, size_t from)
{
	bool *seen = alloc_array(plan->n_nodes, sizeof(*seen));
	size_t *stack = alloc_array(plan->n_nodes, sizeof(*stack));
	const struct plan_node *found = NULL;
	size_t depth = 0;

	stack[depth++] = from;
	seen[from] = true;
	while (depth > 0 && !found) {
		const struct plan_node *node = &plan->nodes[stack[--depth]];

		if (node->lowered->never_ships)
			found = node;
		for (size_t i = 0; node->lowered->passes_on && i < node->n_deps; i++)
			if (!seen[node->deps[i]]) {
				seen[node->deps[i]] = true;
				stack[depth++] = node->deps[i];
			}
	}
	free(seen);
	free(stack);
	return found;
}

static int check_artefact(const struct plan *plan, size_t at, struct err *err)
{
	const struct recipe_artefact *artefact = plan->goals[at].artefact;
	const struct plan_node *counted = find_instrumented(plan, plan->goals[at].node);

	if (counted)
		return err_set(err, ERR_INPUT,
		               "%s: the artefact %s would be made of the instrumented stage %s",
		               counted->stage->where, artefact->name, counted->stage->address);
	for (size_t i = 0; i < at; i++) {
		const struct recipe_artefact *other = plan->goals[i].artefact;

		if (other && str_eq(other->name, artefact->name))
			return err_set(err, ERR_INPUT,
			               "two artefacts would be named %s (%s and %s)",
			               artefact->name, other->from.id, artefact->from.id);
	}
	return 0;
}

static int check_goals(const struct plan *plan, struct err *err)
{
	for (size_t i = 0; i < plan->n_goals; i++) {
		const struct plan_goal *goal = &plan->goals[i];
		const struct plan_node *node = &plan->nodes[goal->node];

		if (goal->path[0] && !plan_node_offers(node, goal->path))
			return err_set(err, ERR_INPUT,
			               "%s: \"%s:%s\" is asked for, which that stage does not "
			               "declare as output",
			               node->stage->where, node->stage->address, goal->path);
		if (goal->artefact && check_artefact(plan, i, err) < 0)
			return -1;
	}
	return 0;
}

/*
 * What this round holds. Without a gate that measures no decision needs a run, so training,
 * candidates and packages are one round; those with nothing to do are not named.
 */
static const char *round_name(const struct plan *plan)
{
	bool trains = false, packs = false;
	size_t smokes = 0, packed = 0;

	for (size_t i = 0; i < plan->n_profiles; i++)
		trains |= plan->nodes[plan->profiles[i].node].wanted &&
		          plan->profiles[i].state != PROFILE_PINNED;
	for (size_t i = 0; i < plan->n_goals; i++) {
		smokes += plan->goals[i].smoke != NULL;
		packed += plan->goals[i].artefact != NULL;
	}
	packs = packed > 0;
	if (!trains && !smokes && !packs)
		return "stages";
	return arena_fmt(plan->arena, "%s%s%s%s%s", trains ? "train" : "",
	                 trains && (smokes || packs) ? ", " : "", smokes ? "candidates" : "",
	                 smokes && packs ? ", " : "", packs ? "package" : "");
}

int plan_build(struct arena *arena, const struct plan_request *request, struct plan **ret,
               struct err *err)
{
	struct plan *plan = arena_alloc(arena, sizeof(*plan));
	struct map *index = map_new_borrowing();
	int rc = -1;

	plan->arena = arena;
	plan->arch = request->facts->arch;
	plan->n_nodes = request->recipe->n_stages;
	plan->nodes = arena_array(arena, plan->n_nodes, sizeof(*plan->nodes));
	pools_take(plan, request->recipe);
	if (plan_check_pools(request->recipe, err) == 0 &&
	    lower_all(plan, request, index, err) == 0 &&
	    pins_choose(plan, request, index, err) == 0 &&
	    judge_all(plan, request, index, err) == 0 && tie_all(plan, request, index, err) == 0 &&
	    goals_choose(plan, request, index, err) == 0 &&
	    want_goals(plan, request, index, err) == 0 && pins_check(plan, err) == 0 &&
	    check_goals(plan, err) == 0)
		rc = 0;
	map_free(index);
	if (rc < 0)
		return -1;
	order_tie_users(plan);
	plan->round = round_name(plan);
	*ret = plan;
	return 0;
}
