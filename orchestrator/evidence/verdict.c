/* The verdicts of all targets in one document. */
#include "evidence/verdict.h"

json_t *verdict_new(const struct release_facts *facts)
{
	json_t *targets = json_object();

	for (size_t i = 0; i < facts->n_targets; i++) {
		const struct release_target *target = &facts->targets[i];
		json_t *verdict = target->verdict ? json_deep_copy(target->verdict) : json_object();

		if (!json_object_get(verdict, "kind"))
			json_object_set_new(verdict, "kind", json_string("declared"));
		if (!json_object_get(verdict, "ship") && target->variant)
			json_object_set_new(verdict, "ship", json_string(target->variant));
		json_object_set_new(targets, target->triple, verdict);
	}
	return json_pack("{s:s, s:s, s:s, s:o}", "schema", VERDICT_SCHEMA, "name", facts->name,
	                 "version", facts->version, "targets", targets);
}
