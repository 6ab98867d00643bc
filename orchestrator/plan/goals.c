/*
 * Goals: what somebody asked for, as nodes. Packages of the variant that ships, the smoke tests
 * that let it ship, profiles, or the stages that were named.
 */
#include "plan/goals.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/array.h"
#include "base/path.h"
#include "base/str.h"
#include "plan/pins.h"

struct goal_list {
	ARRAY(struct plan_goal) goals;
};

static bool target_chosen(const struct plan_request *request, const char *triple)
{
	if (!request->targets || !request->targets[0])
		return true;
	for (size_t i = 0; request->targets[i]; i++)
		if (str_glob(request->targets[i], triple))
			return true;
	return false;
}

static int add_goal(struct plan *plan, struct goal_list *list, struct map *index,
                    struct plan_goal goal, const char *address, const char *what, struct err *err)
{
	struct plan_node *node = map_get(index, address);

	if (!node)
		return err_set(err, ERR_INPUT,
		               "%s comes from \"%s\", which is no stage of the "
		               "recipe",
		               what, address);
	goal.node = (size_t)(node - plan->nodes);
	goal.path = plan_whole_path(node, goal.path);
	array_push(&list->goals, goal);
	return 0;
}

/* ---- the command line's choices are checked first ----------------------------------------- */

static int list_and_refuse(struct buf *names, const char *what, const char *typed, struct err *err)
{
	return err_set(err, ERR_USAGE, "no %s matches \"%s\"; there %s: %s", what, typed,
	               strchr(buf_text(names), ',') ? "are" : "is", buf_text(names));
}

static int check_targets(const struct plan_request *request, struct err *err)
{
	for (size_t i = 0; request->targets && request->targets[i]; i++) {
		_cleanup_buf_ struct buf names = BUF_INIT(1000);
		bool any = false;

		for (size_t j = 0; j < request->recipe->n_targets; j++) {
			const char *triple = request->recipe->targets[j].triple;

			any |= str_glob(request->targets[i], triple);
			buf_fmt(&names, "%s%s", j ? ", " : "", triple);
		}
		if (!any)
			return list_and_refuse(&names, "target", request->targets[i], err);
	}
	return 0;
}

static int check_variant(const struct plan_request *request, const struct recipe_target *target,
                         struct err *err)
{
	_cleanup_buf_ struct buf names = BUF_INIT(1000);

	if (!request->variant)
		return 0;
	for (size_t i = 0; i < target->n_variants; i++) {
		if (str_eq(target->variants[i], request->variant))
			return 0;
		buf_fmt(&names, "%s%s", i ? ", " : "", target->variants[i]);
	}
	return list_and_refuse(&names, "variant", request->variant, err);
}

/* ---- choosing ----------------------------------------------------------------------------- */

static int choose_packages(struct plan *plan, const struct plan_request *request,
                           const struct recipe_target *target, struct goal_list *list,
                           struct map *index, struct err *err)
{
	const struct recipe *recipe = request->recipe;
	const char *variant = request->variant ? request->variant : target->ship;

	for (size_t i = 0; i < recipe->n_artefacts; i++) {
		const struct recipe_artefact *a = &recipe->artefacts[i];

		if (!str_eq(a->target, target->triple) || !variant || !str_eq(a->variant, variant))
			continue;
		if (add_goal(plan, list, index,
		             (struct plan_goal){ .path = a->from.path, .artefact = a }, a->from.id,
		             a->name, err) < 0)
			return -1;
	}
	return 0;
}

/* With a pinned verdict only what ships is smoke-tested; else every candidate. */
static int choose_smokes(struct plan *plan, const struct plan_request *request,
                         const struct recipe_target *target, struct goal_list *list,
                         struct map *index, struct err *err)
{
	const struct recipe *recipe = request->recipe;
	bool pinned = plan_verdict(plan, request->facts, target->triple) != NULL;
	const char *only = request->variant ? request->variant : NULL;

	if (!only && (pinned || request->purpose == PLAN_BUILD))
		only = target->ship;
	for (size_t i = 0; i < recipe->n_smokes; i++) {
		const struct recipe_smoke *s = &recipe->smokes[i];

		if (!str_eq(s->target, target->triple) || (only && !str_eq(s->variant, only)))
			continue;
		if (add_goal(plan, list, index,
		             (struct plan_goal){ .path = "smoke.json", .smoke = s }, s->stage,
		             "a smoke test", err) < 0)
			return -1;
	}
	return 0;
}

/* The project's own tests are for what is released; `--until` runs them any time. */
static int choose_tests(struct plan *plan, const struct plan_request *request,
                        const struct recipe_target *target, struct goal_list *list,
                        struct map *index, struct err *err)
{
	const struct recipe *recipe = request->recipe;
	const char *variant = request->variant ? request->variant : target->ship;

	if (request->purpose != PLAN_RELEASE)
		return 0;
	for (size_t i = 0; i < recipe->n_tests; i++) {
		const struct recipe_test *t = &recipe->tests[i];

		if (!str_eq(t->target, target->triple) || !variant || !str_eq(t->variant, variant))
			continue;
		if (add_goal(plan, list, index, (struct plan_goal){ .path = "", .test = t },
		             t->stage, "a test", err) < 0)
			return -1;
	}
	return 0;
}

static void choose_profiles(struct plan *plan, const struct recipe_target *target,
                            struct goal_list *list)
{
	for (size_t i = 0; i < plan->n_profiles; i++) {
		const struct plan_profile *p = &plan->profiles[i];

		if (!str_eq(p->profile->target, target->triple))
			continue;
		array_push(&list->goals,
		           ((struct plan_goal){
				   .node = p->node, .path = p->from.path, .profile = p->profile }));
	}
}

static int choose_for_targets(struct plan *plan, const struct plan_request *request,
                              struct goal_list *list, struct map *index, struct err *err)
{
	for (size_t i = 0; i < request->recipe->n_targets; i++) {
		const struct recipe_target *target = &request->recipe->targets[i];

		if (!target_chosen(request, target->triple))
			continue;
		if (request->purpose == PLAN_TRAIN) {
			choose_profiles(plan, target, list);
			continue;
		}
		if (choose_packages(plan, request, target, list, index, err) < 0 ||
		    choose_smokes(plan, request, target, list, index, err) < 0 ||
		    choose_tests(plan, request, target, list, index, err) < 0)
			return -1;
	}
	return 0;
}

/* With the nearest name of a stage to the last part of what was typed. */
static int refuse_until(const struct plan_request *request, const char *typed, struct err *err)
{
	const struct recipe *recipe = request->recipe;
	const char **names = alloc_array(recipe->n_stages + 1, sizeof(*names)), *near;

	for (size_t i = 0; i < recipe->n_stages; i++)
		names[i] = path_base(recipe->stages[i].address);
	near = str_nearest(path_base(typed), names);
	err_set(err, ERR_USAGE, "no stage matches \"%s\"%s%s%s; `kiln plan` lists all", typed,
	        near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	free(names);
	return -1;
}

static bool is_meant(const struct plan_request *request, const char *typed,
                     const struct stage *stage)
{
	return target_chosen(request, stage->target) &&
	       (!request->variant || str_eq(request->variant, stage->variant)) &&
	       plan_address_matches(typed, stage->address);
}

static void choose_until(struct plan *plan, const struct plan_request *request,
                         struct goal_list *list)
{
	for (size_t u = 0; request->until[u]; u++)
		for (size_t i = 0; i < plan->n_nodes; i++)
			if (is_meant(request, request->until[u], plan->nodes[i].stage))
				array_push(&list->goals,
				           ((struct plan_goal){ .node = i, .path = "" }));
}

/* ---- before there is a plan ----------------------------------------------------------------- */

static int check_until(const struct plan_request *request, const char *typed, struct err *err)
{
	for (size_t i = 0; i < request->recipe->n_stages; i++)
		if (is_meant(request, typed, &request->recipe->stages[i]))
			return 0;
	return refuse_until(request, typed, err);
}

int plan_check_words(const struct plan_request *request, struct err *err)
{
	if (check_targets(request, err) < 0)
		return -1;
	for (size_t i = 0; i < request->recipe->n_targets; i++) {
		const struct recipe_target *target = &request->recipe->targets[i];

		if (target_chosen(request, target->triple) &&
		    check_variant(request, target, err) < 0)
			return -1;
	}
	for (size_t i = 0; request->until && request->until[i]; i++)
		if (check_until(request, request->until[i], err) < 0)
			return -1;
	return 0;
}

int goals_add_unseen(struct plan *plan, const struct plan_request *request, struct map *index,
                     struct err *err)
{
	struct goal_list list = { 0 };
	int rc = 0;

	for (size_t i = 0; i < plan->n_goals; i++)
		array_push(&list.goals, plan->goals[i]);
	for (size_t i = 0; i < plan->n_profiles && rc == 0; i++) {
		const struct plan_profile *p = &plan->profiles[i];
		const struct ref *from = &p->profile->unseen;

		if (!from->id || !plan->nodes[p->node].wanted ||
		    (p->state == PROFILE_PINNED && !request->unseen))
			continue;
		rc = add_goal(plan, &list, index,
		              (struct plan_goal){ .path = from->path, .unseen = p->profile },
		              from->id, "what training never saw", err);
	}
	plan->goals = arena_dup(plan->arena, list.goals.v, list.goals.n * sizeof(*list.goals.v));
	plan->n_goals = list.goals.n;
	array_deinit(&list.goals);
	return rc;
}

int goals_choose(struct plan *plan, const struct plan_request *request, struct map *index,
                 struct err *err)
{
	struct goal_list list = { 0 };
	int rc = 0;

	if (plan_check_words(request, err) < 0)
		return -1;
	if (request->until && request->until[0])
		choose_until(plan, request, &list);
	else
		rc = choose_for_targets(plan, request, &list, index, err);
	plan->goals = arena_dup(plan->arena, list.goals.v, list.goals.n * sizeof(*list.goals.v));
	plan->n_goals = list.goals.n;
	array_deinit(&list.goals);
	return rc;
}
