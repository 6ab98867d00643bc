/*
 * Profiles: a pin stands for the stage that would make it, when it was trained on just what is built
 * now. Nothing is looked at but recipe and facts.
 */
#include "plan/pins.h"

#include "base/str.h"
#include "plan/identity.h"
#include "plan/maker.h"

/* ---- outputs ------------------------------------------------------------------------------ */

bool plan_node_offers(const struct plan_node *node, const char *path)
{
	const struct action *action = &node->lowered->action;

	if (str_eq(path, "@stdout") || str_eq(path, "@log"))
		return true;
	for (size_t i = 0; i < action->n_outputs; i++) {
		const char *out = action->outputs[i].path;
		size_t n = strlen(out);

		if (strncmp(out, path, n) == 0 && (path[n] == '\0' || path[n] == '/'))
			return true;
	}
	return false;
}

const char *plan_whole_path(const struct plan_node *node, const char *path)
{
	return path[0] == '\0' && node->lowered->action.n_outputs == 1 ?
	               node->lowered->action.outputs[0].path :
	               path;
}

/* ---- sampled or counted ------------------------------------------------------------------- */

static bool same_output(const struct map *index, const struct ref *a, const struct ref *b)
{
	const struct plan_node *node = map_get(index, a->id);

	return a->kind == b->kind && str_eq(a->id, b->id) && node &&
	       str_eq(plan_whole_path(node, a->path), plan_whole_path(node, b->path));
}

/* Where the machine can sample branch stacks, whoever takes a profile takes the sampled one. */
struct ref pins_choose_ref(const struct plan_request *request, const struct map *index,
                           struct ref ref)
{
	const struct recipe *recipe = request->recipe;

	if (ref.kind != REF_STAGE || !request->facts->branch_stacks)
		return ref;
	for (size_t i = 0; i < recipe->n_profiles; i++)
		if (recipe->profiles[i].sampled.id &&
		    same_output(index, &recipe->profiles[i].from, &ref))
			return recipe->profiles[i].sampled;
	return ref;
}

/* ---- pinning ------------------------------------------------------------------------------ */

static const struct plan_profile *profile_before(const struct plan *plan,
                                                 const struct plan_profile *behind, const char *id)
{
	for (const struct plan_profile *p = plan->profiles; p < behind; p++)
		if (str_eq(p->profile->id, id))
			return p;
	return NULL;
}

/* Pins one profile when the lock has it for just this identity. */
static int pin_profile(struct plan *plan, const struct plan_request *request,
                       struct plan_profile *p, struct err *err)
{
	const struct fact_pin *pin = map_get(request->facts->pins, p->profile->id);
	const struct plan_profile *after = NULL;
	const struct digest *after_content = NULL;
	struct plan_node *node = &plan->nodes[p->node];

	p->state = pin ? PROFILE_MISMATCH : PROFILE_TRAINED;
	if (p->profile->after) {
		after = profile_before(plan, p, p->profile->after);
		if (!after)
			return err_set(
				err, ERR_INPUT,
				"the profile %s stands on \"%s\", which is no profile before "
				"it in the recipe",
				p->profile->id, p->profile->after);
		if (after->state != PROFILE_PINNED)
			return 0;
		after_content = &plan->nodes[after->node].pin->ref.digest;
	}
	if (profile_identity(request->recipe, p->profile, request->facts, &p->maker, after_content,
	                     &p->identity, err) < 0)
		return -1;
	p->identity_known = true;
	if (!pin || !digest_eq(&pin->identity, &p->identity))
		return 0;
	p->state = request->purpose == PLAN_TRAIN ? PROFILE_TRAINED : PROFILE_PINNED;
	if (p->state == PROFILE_TRAINED)
		return 0;
	node->pinned = true;
	node->pin = &pin->file;
	node->pin_path = p->from.path;
	return 0;
}

static int find_node(const struct plan *plan, const struct plan_request *request,
                     const struct map *index, struct plan_profile *p, struct err *err)
{
	struct plan_node *node;

	p->from = pins_choose_ref(request, index, p->profile->from);
	node = p->from.kind == REF_STAGE ? map_get(index, p->from.id) : NULL;
	if (!node)
		return err_set(err, ERR_INPUT,
		               "the profile %s comes from \"%s\", which is no stage",
		               p->profile->id, p->from.id);
	p->from.path = plan_whole_path(node, p->from.path);
	if (!plan_node_offers(node, p->from.path))
		return err_set(err, ERR_INPUT,
		               "%s: the profile %s comes from \"%s:%s\", which that stage does not "
		               "declare as output",
		               node->stage->where, p->profile->id, p->from.id, p->from.path);
	p->node = (size_t)(node - plan->nodes);
	return 0;
}

/* Profiles come in the recipe's order, in which one stands behind what it stands on. */
int pins_choose(struct plan *plan, const struct plan_request *request, struct map *index,
                struct err *err)
{
	const struct recipe *recipe = request->recipe;

	plan->n_profiles = recipe->n_profiles;
	plan->profiles = arena_array(plan->arena, plan->n_profiles, sizeof(*plan->profiles));
	for (size_t i = 0; i < plan->n_profiles; i++) {
		struct plan_profile *p = &plan->profiles[i];

		p->profile = &recipe->profiles[i];
		if (find_node(plan, request, index, p, err) < 0 ||
		    profile_maker(plan, p->profile, request, index, &p->maker, err) < 0 ||
		    pin_profile(plan, request, p, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- what a pin lacks --------------------------------------------------------------------- */

static int check_input(const struct plan *plan, const struct plan_node *node,
                       const struct plan_input *input, struct err *err)
{
	const struct plan_node *from = &plan->nodes[input->node];

	if (!from->pinned || str_eq(input->from.path, from->pin_path))
		return 0;
	err_set(err, ERR_INPUT,
	        "%s: %s takes \"%s:%s\" of a stage that the lock pins; only \"%s\" of it is there",
	        node->stage->where, node->stage->address, input->from.id, input->from.path,
	        from->pin_path);
	return err_hint(err, "take the profile alone, or drop its pin from the lock");
}

int pins_check(const struct plan *plan, struct err *err)
{
	for (size_t i = 0; i < plan->n_wanted; i++) {
		const struct plan_node *node = &plan->nodes[plan->order[i]];

		for (size_t j = 0; !node->pinned && j < node->n_inputs; j++)
			if (node->inputs[j].from.kind == REF_STAGE &&
			    check_input(plan, node, &node->inputs[j], err) < 0)
				return -1;
	}
	return 0;
}
