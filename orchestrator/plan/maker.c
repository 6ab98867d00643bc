/*
 * From a profile back to the stages that made the program it describes. The way leads from the
 * profile through merging and running to instrumented stages, and from there through everything
 * they were made of; a recipe that profiles by stages of its own has no instrumented ones, and then
 * all of it counts.
 */
#include "plan/maker.h"

#include "base/alloc.h"
#include "base/str.h"
#include "external/crypto.h"

enum { MAKER_MOST = 256 << 20 };

/* A walk against the arrows: every node once. */
struct walk {
	const struct plan *plan;
	const struct map *index;
	bool *seen;
	size_t *stack, depth;
};

static void visit(struct walk *walk, const struct plan_node *node)
{
	size_t at = (size_t)(node - walk->plan->nodes);

	if (walk->seen[at])
		return;
	walk->seen[at] = true;
	walk->stack[walk->depth++] = at;
}

/* What a node takes of other stages, but for nodes that `stop` names. */
static void visit_inputs(struct walk *walk, const struct plan_node *node, const bool *stop)
{
	for (size_t i = 0; i < node->lowered->n_inputs; i++) {
		const struct ref *from = &node->lowered->inputs[i].from;
		const struct plan_node *dep =
			from->kind == REF_STAGE ? map_get(walk->index, from->id) : NULL;

		if (dep && !(stop && stop[dep - walk->plan->nodes]))
			visit(walk, dep);
	}
}

static void walk_init(struct walk *walk, const struct plan *plan, const struct map *index)
{
	*walk = (struct walk){ plan, index, alloc_array(plan->n_nodes, sizeof(bool)),
		               alloc_array(plan->n_nodes, sizeof(size_t)), 0 };
}

static void walk_deinit(struct walk *walk)
{
	free(walk->seen);
	free(walk->stack);
}

/* Puts the instrumented stages that a profile comes of on the second walk. */
static void find_instrumented(struct walk *from, struct walk *to)
{
	while (from->depth > 0) {
		const struct plan_node *node = &from->plan->nodes[from->stack[--from->depth]];

		if (node->lowered->never_ships)
			visit(to, node);
		else
			visit_inputs(from, node, NULL);
	}
}

/* Nodes that make profiles: what lies behind them is told by the profiles' content. */
static bool *profile_nodes(const struct plan *plan, const struct recipe *recipe,
                           const struct map *index)
{
	bool *stop = alloc_array(plan->n_nodes, sizeof(bool));

	for (size_t i = 0; i < recipe->n_profiles; i++) {
		const struct recipe_profile *profile = &recipe->profiles[i];
		const struct plan_node *made = map_get(index, profile->from.id);
		const struct plan_node *sampled =
			profile->sampled.id ? map_get(index, profile->sampled.id) : NULL;

		if (made)
			stop[made - plan->nodes] = true;
		if (sampled)
			stop[sampled - plan->nodes] = true;
	}
	return stop;
}

static json_t *env_json(const struct action *action)
{
	json_t *env = json_object();

	for (size_t i = 0; i < action->n_env; i++)
		if (!str_eq(action->env[i].name, "SOURCE_DATE_EPOCH"))
			json_object_set_new(env, action->env[i].name,
			                    json_string(action->env[i].value));
	return env;
}

static json_t *input_json(const struct stage_input *input, const struct facts *facts)
{
	static const char *const kinds[] = { [REF_STAGE] = "stage",
		                             [REF_LEAF] = "leaf",
		                             [REF_TEXT] = "text",
		                             [REF_SCRIPT] = "script" };
	const struct fact_leaf *leaf =
		input->from.kind == REF_LEAF ? map_get(facts->leaves, input->from.id) : NULL;

	return json_pack("{s:s,s:s,s:s,s:s,s:s*}", "at", input->at, "kind", kinds[input->from.kind],
	                 "id", input->from.id, "path", input->from.path ? input->from.path : "",
	                 "content", leaf ? DIGEST_TEXT(&leaf->node.ref.digest) : NULL);
}

static json_t *node_json(const struct plan *plan, const struct plan_node *node,
                         const struct facts *facts)
{
	const struct action action = plan_action(plan, node);
	json_t *argv = json_array(), *inputs = json_array();

	for (size_t i = 0; i < action.n_argv; i++)
		json_array_append_new(argv, json_string(action.argv[i]));
	for (size_t i = 0; i < node->lowered->n_inputs; i++)
		json_array_append_new(inputs, input_json(&node->lowered->inputs[i], facts));
	return json_pack("{s:s,s:o,s:o,s:s,s:s,s:o}", "address", node->stage->address, "argv", argv,
	                 "env", env_json(&action), "workdir", action.workdir ? action.workdir : "",
	                 "builtin", action.builtin ? action.builtin : "", "inputs", inputs);
}

/* In the recipe's order, which does not depend on how the walk went. */
static int digest_seen(const struct walk *walk, const struct facts *facts, const char *id,
                       struct digest *ret, struct err *err)
{
	_cleanup_json_ json_t *stages = json_array();
	_cleanup_buf_ struct buf text = BUF_INIT(MAKER_MOST);

	for (size_t i = 0; i < walk->plan->n_nodes; i++)
		if (walk->seen[i])
			json_array_append_new(stages,
			                      node_json(walk->plan, &walk->plan->nodes[i], facts));
	json_write_canonical(stages, &text);
	if (text.overflow)
		return err_set(err, ERR_INPUT,
		               "the stages that lead to the profile %s are larger than %d MiB", id,
		               MAKER_MOST >> 20);
	digest_of(buf_text(&text), text.n, ret);
	return 0;
}

int profile_maker(const struct plan *plan, const struct recipe_profile *profile,
                  const struct plan_request *request, const struct map *index, struct digest *ret,
                  struct err *err)
{
	const struct plan_node *made = map_get(index, profile->from.id);
	bool *stop = profile_nodes(plan, request->recipe, index);
	struct walk back, all;
	int rc;

	bug_on(!made); /* the caller has found it */
	walk_init(&back, plan, index);
	walk_init(&all, plan, index);
	visit(&back, made);
	find_instrumented(&back, &all);
	if (all.depth == 0)
		visit(&all, made);
	while (all.depth > 0)
		visit_inputs(&all, &plan->nodes[all.stack[--all.depth]], stop);
	rc = digest_seen(&all, request->facts, profile->id, ret, err);
	walk_deinit(&back);
	walk_deinit(&all);
	free(stop);
	return rc;
}
