/* From the stage that measured it, or from the lock, to a line. */
#include "cli/unseen.h"

#include "base/str.h"
#include "cli/outputs.h"
#include "model/lock.h"

enum { UNSEEN_MOST = 1 << 20, SHOWN_NAMES = 3 };

static int read_goal(struct session *s, const struct plan *plan, const struct engine_result *result,
                     const struct plan_goal *goal, json_t **ret, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(UNSEEN_MOST);
	struct tree_node node;
	int rc;

	if (outputs_node(s, plan, result, goal, &node, err) < 0)
		return -1;
	rc = blobs_read(store_blobs(s->store), &node.ref, &text, err);
	if (rc == BLOBS_MISS)
		return blobs_miss(&node.ref, "unseen.json", err);
	if (rc < 0 || json_parse(buf_text(&text), text.n, "unseen.json", ret, err) < 0)
		return -1;
	json_object_del(*ret, "schema");
	return 0;
}

/* What the lock says, where it speaks of these sources. */
static const json_t *locked(struct session *s, const char *triple)
{
	const json_t *verdict = lock_verdict(s->lock, s->recipe.name, triple);
	_cleanup_json_ json_t *inputs = plan_verdict_inputs(&s->facts);

	return verdict && json_equal(json_object_get(verdict, "inputs"), inputs) ?
	               json_object_get(verdict, "unseen") :
	               NULL;
}

static const struct recipe_profile *profile_of(const struct session *s, const char *triple)
{
	for (size_t i = 0; i < s->recipe.n_profiles; i++)
		if (s->recipe.profiles[i].unseen.id && str_eq(s->recipe.profiles[i].target, triple))
			return &s->recipe.profiles[i];
	return NULL;
}

static bool is_pinned(const struct plan *plan, const struct recipe_profile *profile)
{
	for (size_t i = 0; i < plan->n_profiles; i++)
		if (plan->profiles[i].profile == profile)
			return plan->profiles[i].state == PROFILE_PINNED;
	return false;
}

int unseen_find(struct session *s, const struct plan *plan, const struct engine_result *result,
                const struct recipe_target *target, json_t **ret, struct err *err)
{
	const struct recipe_profile *profile = profile_of(s, target->triple);

	*ret = NULL;
	for (size_t i = 0; i < plan->n_goals; i++)
		if (plan->goals[i].unseen && str_eq(plan->goals[i].unseen->target, target->triple))
			return read_goal(s, plan, result, &plan->goals[i], ret, err);
	if (profile && is_pinned(plan, profile))
		*ret = json_deep_copy(locked(s, target->triple));
	return 0;
}

bool unseen_lacks(struct session *s)
{
	for (size_t i = 0; i < s->recipe.n_targets; i++)
		if (profile_of(s, s->recipe.targets[i].triple) &&
		    !locked(s, s->recipe.targets[i].triple))
			return true;
	return false;
}

const char *unseen_line(struct arena *arena, const json_t *unseen)
{
	long long n = json_integer_value(json_object_get(unseen, "functions"));
	long long millionths = json_integer_value(json_object_get(unseen, "millionths"));
	const json_t *most = json_object_get(unseen, "most");
	const char *names = "";

	if (n == 0)
		return "training ran every function that the held-out runs need";
	for (size_t i = 0; i < json_array_size(most) && i < SHOWN_NAMES; i++) {
		const char *name = json_str_or(json_array_get(most, i), "name", "");
		const char *behind = strrchr(name, ';'); /* FILE;NAME of what is static */
		_cleanup_free_ char *clean = str_clean(str_of(behind ? behind + 1 : name));

		names = arena_fmt(arena, "%s%s%s", names, i ? ", " : "", clean);
	}
	return arena_fmt(arena,
	                 "held-out runs spend %s%.1f %% of their execution in %lld function%s that "
	                 "training never ran: %s%s",
	                 millionths < 1000 ? "less than " : "",
	                 millionths < 1000 ? 0.1 : (double)millionths / 1e4, n, n == 1 ? "" : "s",
	                 names, n > SHOWN_NAMES ? ", …" : "");
}
