/*
 * smoke: a variant is only as good as its output. Compares what a variant printed on the held-out
 * workload with what the reference variant printed, after the recipe's filters.
 */
#include "stages/kinds.h"
#include "stages/options.h"

static const struct schema_field smoke_fields[] = {
	{ "cases", SCHEMA_STRINGS, true, "names of the held-out runs", NULL, NULL },
	{ "reference", SCHEMA_REFS, true, "the reference's output of each case", NULL, NULL },
	{ "candidate", SCHEMA_REFS, true, "this variant's output of each case", NULL, NULL },
	{ "filters", SCHEMA_ANY, false, "what varies and is not compared", NULL, NULL },
	{ "label", SCHEMA_STRING, false, "what is compared, for the message", NULL, NULL },
	{ 0 },
};

static int add_case(struct lowering *lowering, size_t i, json_t *cases, struct err *err)
{
	const json_t *name = json_array_get(option_list(lowering, "cases"), i);
	const char *reference_at = arena_fmt(lowering->arena, "reference/%zu", i);
	const char *candidate_at = arena_fmt(lowering->arena, "candidate/%zu", i);
	struct ref reference, candidate;

	if (ref_from_json(lowering->arena, json_array_get(option_list(lowering, "reference"), i),
	                  &reference) < 0 ||
	    ref_from_json(lowering->arena, json_array_get(option_list(lowering, "candidate"), i),
	                  &candidate) < 0)
		return lower_refuse(lowering, err,
		                    "case %zu needs a reference and a candidate output", i + 1);
	lower_input(lowering, reference_at, reference);
	lower_input(lowering, candidate_at, candidate);
	json_array_append_new(cases,
	                      json_pack("{s:s?,s:s,s:s}", "name", json_string_value(name),
	                                "reference", reference_at, "candidate", candidate_at));
	return 0;
}

/* No case would be a smoke test that cannot fail. */
static int add_cases(struct lowering *lowering, json_t *cases, struct err *err)
{
	size_t n = json_array_size(option_list(lowering, "cases"));

	if (n == 0)
		return lower_refuse(lowering, err, "cases must name at least one held-out run");
	for (size_t i = 0; i < n; i++)
		if (add_case(lowering, i, cases, err) < 0)
			return -1;
	return 0;
}

static int lower_smoke(const struct stage *stage, struct arena *arena, struct stage_lowered *ret,
                       struct err *err)
{
	_cleanup_json_ json_t *parameters = json_object();
	json_t *cases = json_array();
	json_t *filters;
	struct lowering l;

	json_object_set_new(parameters, "cases", cases);
	if (lowering_begin(&l, stage, arena, err) < 0 || add_cases(&l, cases, err) < 0) {
		lowering_deinit(&l);
		return -1;
	}
	filters = json_object_get(stage->options, "filters");
	if (filters)
		json_object_set(parameters, "filters", filters);
	if (option_str(&l, "label"))
		json_object_set_new(parameters, "label", json_string(option_str(&l, "label")));
	lower_parameters(&l, parameters);
	l.out.action.builtin = "smoke@1";
	lower_output(&l, "smoke.json", true);
	lowering_finish(&l, ret);
	return 0;
}

const struct stage_kind stage_smoke = {
	"smoke", "checks that a variant prints what the reference prints; output smoke.json",
	smoke_fields, lower_smoke
};
