/* Whether a verdict that the lock pins still speaks of what this plan would build. */
#include "base/str.h"
#include "plan/plan.h"

/* The verdict names the content of every source it was reached on. */
static bool inputs_hold(const json_t *verdict, const struct facts *facts)
{
	const json_t *inputs = json_object_get(verdict, "inputs");

	if (json_object_size(inputs) != map_count(facts->leaves))
		return false;
	for (size_t i = 0; i < map_count(facts->leaves); i++) {
		const struct map_entry *entry = map_at(facts->leaves, i);
		const struct fact_leaf *leaf = entry->value;

		if (!str_eq(json_str_or(inputs, entry->key, ""),
		            DIGEST_TEXT(&leaf->node.ref.digest)))
			return false;
	}
	return true;
}

/* A verdict without the outputs of what ships proves nothing. */
static bool is_tested(const json_t *verdict)
{
	const char *ship = json_str_or(verdict, "ship", "");

	return json_object_size(json_object_get(json_object_get(verdict, "smoke"), ship)) > 0;
}

const json_t *plan_verdict(const struct plan *plan, const struct facts *facts, const char *triple)
{
	const json_t *verdict = map_get(facts->verdicts, triple);

	if (!verdict || !inputs_hold(verdict, facts) || !is_tested(verdict))
		return NULL;
	for (size_t i = 0; i < plan->n_profiles; i++)
		if (str_eq(plan->profiles[i].profile->target, triple) &&
		    plan->profiles[i].state != PROFILE_PINNED)
			return NULL;
	return verdict;
}

json_t *plan_verdict_inputs(const struct facts *facts)
{
	json_t *inputs = json_object();

	for (size_t i = 0; i < map_count(facts->leaves); i++) {
		const struct map_entry *entry = map_at(facts->leaves, i);
		const struct fact_leaf *leaf = entry->value;

		json_object_set_new(inputs, entry->key,
		                    json_string(DIGEST_TEXT(&leaf->node.ref.digest)));
	}
	return inputs;
}
