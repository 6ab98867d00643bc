/*
 * smoke: a variant is only as good as its output. Compares what a variant printed on the held-out
 * workload, after each run's filters, with what the reference variant printed; or, where the output
 * was pinned, with its digest: then no reference is built.
 */
#include "stages/kinds.h"
#include "stages/options.h"

static const struct schema_field smoke_fields[] = {
	{ "cases", SCHEMA_STRINGS, true, "names of the held-out runs", NULL, NULL },
	{ "reference", SCHEMA_REFS, false, "the reference's output of each case", NULL, NULL },
	{ "expected", SCHEMA_STRINGS, false,
	  "in place of reference: SHA-256 of each case's filtered output", NULL, NULL },
	{ "candidate", SCHEMA_REFS, true, "this variant's output of each case", NULL, NULL },
	{ "filters", SCHEMA_ANY, false,
	  "by case: what varies and is not compared, a list of { drop_lines } and { regex, replace }",
	  NULL, NULL },
	{ "label", SCHEMA_STRING, false, "what is compared, for the message", NULL, NULL },
	{ 0 },
};

/* Places one side's output of a case; the path it has for the builtin. */
static const char *add_side(struct lowering *lowering, const char *side, size_t i)
{
	const char *at = arena_fmt(lowering->arena, "%s/%zu", side, i);

	lower_input(lowering, at,
	            lower_ref(lowering, json_array_get(option_list(lowering, side), i)));
	return at;
}

/* What the candidate is compared with: the reference's output, or a digest. */
static void add_measure(struct lowering *lowering, size_t i, json_t *one)
{
	const json_t *expected = option_list(lowering, "expected");

	if (json_array_size(expected))
		json_object_set(one, "expected", json_array_get(expected, i));
	else
		json_object_set_new(one, "reference",
		                    json_string(add_side(lowering, "reference", i)));
}

static void add_case(struct lowering *lowering, size_t i, json_t *cases)
{
	const json_t *filters = json_object_get(lowering->stage->options, "filters");
	const char *name = json_string_value(json_array_get(option_list(lowering, "cases"), i));
	json_t *one = json_object(), *own = json_object_get(filters, name);

	json_array_append_new(cases, one);
	json_object_set_new(one, "name", json_string(name));
	if (json_array_size(own))
		json_object_set(one, "filters", own);
	add_measure(lowering, i, one);
	json_object_set_new(one, "candidate", json_string(add_side(lowering, "candidate", i)));
}

static int check_length(struct lowering *lowering, const char *option, size_t n, struct err *err)
{
	size_t has = json_array_size(option_list(lowering, option));

	return has == n ? 0 :
	                  lower_refuse(lowering, err, "%s has %zu entries for %zu cases", option,
	                               has, n);
}

static int check_filters(struct lowering *lowering, struct err *err)
{
	json_t *filters = json_object_get(lowering->stage->options, "filters"), *list, *name;
	const char *of;
	size_t i;

	json_object_foreach (filters, of, list) {
		bool known = false;

		json_array_foreach (option_list(lowering, "cases"), i, name)
			known |= str_eq(json_string_value(name), of);
		if (!known)
			return lower_refuse(lowering, err, "filters names \"%s\", which is no case",
			                    of);
		if (!json_is_array(list))
			return lower_refuse(lowering, err, "filters of \"%s\": expected a list",
			                    of);
	}
	return !filters || json_is_object(filters) || json_array_size(filters) == 0 ?
	               0 :
	               lower_refuse(lowering, err, "filters: expected lists by case");
}

/* No case would be a smoke test that cannot fail. */
static int add_cases(struct lowering *lowering, json_t *cases, struct err *err)
{
	size_t n = json_array_size(option_list(lowering, "cases"));
	bool pinned = json_array_size(option_list(lowering, "expected")) > 0;

	if (n == 0)
		return lower_refuse(lowering, err, "cases must name at least one held-out run");
	if (pinned && json_array_size(option_list(lowering, "reference")) > 0)
		return lower_refuse(lowering, err, "reference and expected exclude each other");
	if (check_length(lowering, pinned ? "expected" : "reference", n, err) < 0 ||
	    check_length(lowering, "candidate", n, err) < 0 || check_filters(lowering, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		add_case(lowering, i, cases);
	return 0;
}

static int lower_smoke(const struct stage *stage, struct arena *arena, struct stage_lowered *ret,
                       struct err *err)
{
	_cleanup_json_ json_t *parameters = json_object();
	json_t *cases = json_array();
	struct lowering l;

	json_object_set_new(parameters, "cases", cases);
	if (lowering_begin(&l, stage, arena, err) < 0 || add_cases(&l, cases, err) < 0) {
		lowering_deinit(&l);
		return -1;
	}
	if (option_str(&l, "label"))
		json_object_set_new(parameters, "label", json_string(option_str(&l, "label")));
	lower_parameters(&l, parameters);
	l.out.action.builtin = "smoke@2";
	lower_output(&l, "smoke.json", true);
	lowering_finish(&l, ret);
	return 0;
}

const struct stage_kind stage_smoke = {
	.name = "smoke",
	.doc = "checks that a variant prints what the reference prints; output smoke.json",
	.fields = smoke_fields,
	.lower = lower_smoke,
	.advice =
		"filters = { … } in run { } for what may vary (dates, paths); else the optimised program "
		"is wrong: see which variant differs",
	.relowered = true,
};
