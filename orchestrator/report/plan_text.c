/* What would run: stages by target and variant in the order they hang together, and why. */
#include "report/plan_text.h"

#include "base/str.h"

static const struct plan_outlook unknown = { -1, NULL };

static const char *state_word(const struct plan_node *node, signed char cached)
{
	if (node->pinned)
		return "pinned";
	if (cached > 0)
		return "cached";
	return cached == 0 ? "run" : "run?";
}

static const char *profile_word(enum profile_state state)
{
	switch (state) {
	case PROFILE_PINNED:
		return "pinned by the lock";
	case PROFILE_TRAINED:
		return "trained in this run (pin it with `kiln lock`)";
	case PROFILE_MISMATCH:
		break;
	}
	return "trained anew: what the lock pins belongs to another source, compiler or flags";
}

/* How a BOLT profile that is trained here is taken; NULL where there is no choice. */
static const char *profile_way(const struct plan_profile *p)
{
	if (p->state == PROFILE_PINNED || !str_eq(p->profile->kind, "bolt"))
		return NULL;
	return p->profile->sampled.id && str_eq(p->from.id, p->profile->sampled.id) ? "samples" :
	                                                                              "counters";
}

/* The reason, where the machine is not it: that one stands in the first lines. */
static const char *way_reason(const struct plan_profile *p, const struct facts *facts)
{
	return facts->branch_stacks && !p->profile->sampled.id ?
	               " (the recipe asks for no samples of this target)" :
	               "";
}

static void add_profile(const struct plan_profile *p, const struct facts *facts, struct buf *text)
{
	const char *way = profile_way(p);

	buf_fmt(text, "  profile  %s: %s%s%s%s\n", p->profile->kind, profile_word(p->state),
	        way ? ", by " : "", way ? way : "", way ? way_reason(p, facts) : "");
}

static void add_goals(const struct plan *plan, const struct facts *facts, const char *triple,
                      struct buf *text)
{
	for (size_t i = 0; i < plan->n_goals; i++)
		if (plan->goals[i].artefact && str_eq(plan->goals[i].artefact->target, triple))
			buf_fmt(text, "  makes    %s  (%s)\n", plan->goals[i].artefact->name,
			        plan->goals[i].artefact->variant);
	for (size_t i = 0; i < plan->n_profiles; i++) {
		const struct plan_profile *p = &plan->profiles[i];

		if (str_eq(p->profile->target, triple) && plan->nodes[p->node].wanted)
			add_profile(p, facts, text);
	}
}

static bool is_first_of_target(const struct plan *plan, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (plan->nodes[i].wanted &&
		    str_eq(plan->nodes[i].stage->target, plan->nodes[at].stage->target))
			return false;
	return true;
}

enum { COUNT_RUN, COUNT_CACHED, COUNT_PINNED, N_COUNTS };
enum { PIECE = 64 << 10, PIECE_MOST = 256 << 20 };

struct writer {
	const struct plan *plan;
	const struct facts *facts;
	const struct plan_outlook *outlook;
	size_t counts[N_COUNTS];
	struct buf text; /* not handed on yet */
	plan_text_fn put;
	void *data;
};

/* Hands on what has come together, where that is so much. */
static int hand_on(struct writer *w, size_t least, struct err *err)
{
	int rc;

	if (w->text.n < least)
		return 0;
	rc = w->put(w->data, buf_text(&w->text), w->text.n, err);
	buf_clear(&w->text);
	return rc;
}

static void add_node(struct writer *w, size_t at)
{
	const struct plan_node *node = &w->plan->nodes[at];
	const struct plan_outlook o = w->outlook ? w->outlook[at] : unknown;

	w->counts[node->pinned ? COUNT_PINNED : o.cached > 0 ? COUNT_CACHED : COUNT_RUN]++;
	buf_fmt(&w->text, "  %-7s  %s/%s  [%s]%s%s\n", state_word(node, o.cached),
	        node->stage->variant, node->stage->name, node->stage->kind, o.why ? "  " : "",
	        o.why ? o.why : "");
}

/* A target's stages, wherever the recipe declares them, from its first one on. */
static int add_target(struct writer *w, size_t first, struct err *err)
{
	const struct plan *plan = w->plan;
	const char *target = plan->nodes[first].stage->target;
	int rc = 0;

	buf_fmt(&w->text, "\n%s\n", target);
	add_goals(plan, w->facts, target, &w->text);
	for (size_t i = first; i < plan->n_nodes && rc == 0; i++) {
		if (!plan->nodes[i].wanted || !str_eq(plan->nodes[i].stage->target, target))
			continue;
		add_node(w, i);
		rc = hand_on(w, PIECE, err);
	}
	return rc;
}

int plan_text(const struct plan *plan, const struct facts *facts,
              const struct plan_outlook *outlook, plan_text_fn put, void *data, struct err *err)
{
	struct writer w = { .plan = plan,
		            .facts = facts,
		            .outlook = outlook,
		            .text = BUF_INIT(PIECE_MOST),
		            .put = put,
		            .data = data };
	int rc = 0;

	buf_fmt(&w.text, "round 1: %s\n", plan->round);
	if (facts->profiler)
		buf_fmt(&w.text, "profiler: %s\n", facts->profiler);
	for (size_t i = 0; i < plan->n_nodes && rc == 0; i++)
		if (plan->nodes[i].wanted && is_first_of_target(plan, i))
			rc = add_target(&w, i, err);
	buf_fmt(&w.text, "\n%zu to run, %zu cached, %zu pinned\n", w.counts[COUNT_RUN],
	        w.counts[COUNT_CACHED], w.counts[COUNT_PINNED]);
	if (rc == 0)
		rc = hand_on(&w, 0, err);
	buf_deinit(&w.text);
	return rc;
}

static json_t *node_json(const struct plan *plan, size_t i, const struct plan_outlook *outlook)
{
	const struct plan_node *node = &plan->nodes[i];
	const struct stage *stage = node->stage;
	json_t *deps = json_array();
	json_t *argv = json_array();

	for (size_t d = 0; !node->pinned && d < node->n_deps; d++)
		json_array_append_new(deps, json_string(plan->nodes[node->deps[d]].stage->address));
	for (size_t a = 0; a < node->lowered->action.n_argv; a++)
		json_array_append_new(argv, json_string(node->lowered->action.argv[a]));
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s?,s:o,s:o}", "address", stage->address,
	                 "target", stage->target, "variant", stage->variant, "name", stage->name,
	                 "kind", stage->kind, "where", stage->where, "state",
	                 state_word(node, outlook->cached), "why", outlook->why, "needs", deps,
	                 "argv", argv);
}

json_t *plan_json(const struct plan *plan, const struct facts *facts,
                  const struct plan_outlook *outlook)
{
	static const char *const states[] = { "pinned", "trained", "mismatch" };
	json_t *stages = json_array(), *artefacts = json_array(), *profiles = json_array();

	for (size_t i = 0; i < plan->n_nodes; i++)
		if (plan->nodes[i].wanted)
			json_array_append_new(stages,
			                      node_json(plan, i, outlook ? &outlook[i] : &unknown));
	for (size_t i = 0; i < plan->n_goals; i++) {
		const struct recipe_artefact *a = plan->goals[i].artefact;

		if (a)
			json_array_append_new(artefacts,
			                      json_pack("{s:s,s:s,s:s,s:s}", "name", a->name,
			                                "target", a->target, "variant", a->variant,
			                                "kind", a->kind));
	}
	for (size_t i = 0; i < plan->n_profiles; i++)
		if (plan->nodes[plan->profiles[i].node].wanted)
			json_array_append_new(profiles,
			                      json_pack("{s:s,s:s,s:s?}", "id",
			                                plan->profiles[i].profile->id, "state",
			                                states[plan->profiles[i].state], "by",
			                                profile_way(&plan->profiles[i])));
	return json_pack("{s:s,s:s,s:I,s:s?,s:o,s:o,s:o}", "schema", "kiln.plan/1", "round",
	                 plan->round, "epoch", (json_int_t)facts->epoch, "profiler",
	                 facts->profiler, "stages", stages, "artefacts", artefacts, "profiles",
	                 profiles);
}
