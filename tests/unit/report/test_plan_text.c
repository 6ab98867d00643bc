/* A plan for people and as JSON. */
#include "fakes/fixture.h"

#include "base/str.h"
#include "report/plan_text.h"

static int setup(void **state)
{
	static struct fixture f;

	fixture_init(&f);
	fixture_pipeline(&f);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	fixture_deinit(*state);
	return 0;
}

static int put(void *data, const char *text, size_t n, struct err *err)
{
	(void)err;
	buf_add(data, text, n);
	return 0;
}

static char *text_of(const struct fixture *f, const struct plan_outlook *outlook)
{
	struct buf text = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;

	must(plan_text(f->plan, &f->facts, outlook, put, &text, &err), &err);
	assert_false(text.overflow);
	return buf_steal(&text);
}

static void a_plan_as_text(void **state)
{
	struct fixture *f = *state;
	char *text;

	fixture_must_plan(f);
	f->facts.profiler = "none: no branch stacks";
	text = text_of(f, NULL);
	assert_string_equal(text, "round 1: train, candidates, package\n"
	                          "profiler: none: no branch stacks\n"
	                          "\n"
	                          "t\n"
	                          "  makes    demo-1-pgo+bolt.tar.xz  (pgo+bolt)\n"
	                          "  profile  pgo: trained in this run (pin it with `kiln lock`)\n"
	                          "  profile  bolt: trained in this run (pin it with `kiln lock`), "
	                          "by counters\n"
	                          "  run?     plain/build  [build]\n"
	                          "  run?     shared/counted  [instrument]\n"
	                          "  run?     shared/train  [workload]\n"
	                          "  run?     shared/merge  [profdata-merge]\n"
	                          "  run?     pgo/build  [rebuild]\n"
	                          "  run?     pgo+bolt/counted  [bolt-instrument]\n"
	                          "  run?     pgo+bolt/train  [bolt-workload]\n"
	                          "  run?     pgo+bolt/merge  [fdata-merge]\n"
	                          "  run?     pgo+bolt/build  [llvm-bolt]\n"
	                          "  run?     plain/hold  [workload]\n"
	                          "  run?     pgo+bolt/hold  [workload]\n"
	                          "  run?     pgo+bolt/smoke  [smoke]\n"
	                          "  run?     pgo+bolt/tar  [tar]\n"
	                          "  run?     pgo+bolt/pack  [compress]\n"
	                          "\n"
	                          "14 to run, 0 cached, 0 pinned\n");
	free(text);
}

/* How a BOLT profile is taken hangs on the machine and on the recipe. */
static void ways_are_told(void **state)
{
	struct fixture *f = *state;
	char *text;

	f->facts.branch_stacks = true;
	fixture_must_plan(f);
	text = text_of(f, NULL);
	assert_contains(text, "  profile  bolt: trained in this run (pin it with `kiln lock`), by "
	                      "samples\n");
	assert_contains(text, "[perf-record]");
	free(text);
	for (size_t i = 0; i < f->recipe.n_profiles; i++)
		f->recipe.profiles[i].sampled = (struct ref){ 0 };
	fixture_must_plan(f);
	text = text_of(f, NULL);
	assert_contains(text, "by counters (the recipe asks for no samples of this target)\n");
	assert_contains(text, "[bolt-workload]");
	free(text);
}

static void states_are_told(void **state)
{
	struct fixture *f = *state;
	struct plan_outlook outlook[64];
	char *text;

	fixture_must_plan(f);
	fixture_pin(f, "t/pgo", "profile", &f->plan->profiles[0].identity);
	fixture_must_plan(f);
	for (size_t i = 0; i < ARRAY_LEN(outlook); i++)
		outlook[i] = (struct plan_outlook){ -1, NULL };
	outlook[fixture_node(f, "t/pgo/build")].cached = 1;
	outlook[fixture_node(f, "t/plain/build")] = (struct plan_outlook){ 0, "main.c changed" };
	text = text_of(f, outlook);
	assert_contains(text, "  pinned   shared/merge  [profdata-merge]\n");
	assert_contains(text, "  cached   pgo/build  [rebuild]\n");
	assert_contains(text, "  run      plain/build  [build]  main.c changed\n");
	assert_contains(text, "  run?     plain/hold  [workload]\n");
	assert_contains(text, "  profile  pgo: pinned by the lock\n");
	assert_contains(text, "\n10 to run, 1 cached, 1 pinned\n");
	assert_null(strstr(text, "shared/train"));
	assert_null(strstr(text, "profiler"));
	free(text);

	fixture_leaf(f, "source", "other source");
	fixture_must_plan(f);
	text = text_of(f, NULL);
	assert_contains(text, "  profile  pgo: trained anew: what the lock pins belongs to another "
	                      "source, compiler or flags\n");
	free(text);
}

/* Stages of a target stand together although their recipe mixes them. */
static void targets_stand_together(void **state)
{
#define STAGE(target, name)                                                                        \
	"{'address':'" target "/plain/" name "','target':'" target                                 \
	"','variant':'plain','name':'" name                                                        \
	"','kind':'run','options':{'argv':['a'],'outputs':['o'],'image':'trixie'}}"
	struct fixture *f = *state;
	const char *const until[] = { "**", NULL };
	char *text;

	fixture_load_parts(f, "[" STAGE("t", "a") "," STAGE("u", "a") "," STAGE("t", "b") "]", "");
	must(fixture_plan(f, &(struct plan_request){ .until = until }), &f->err);
	text = text_of(f, NULL);
	assert_contains(text, "\nt\n  run?     plain/a  [run]\n  run?     plain/b  [run]\n\nu\n"
	                      "  run?     plain/a  [run]\n\n3 to run");
	free(text);
}

static void a_plan_as_json(void **state)
{
	struct fixture *f = *state;
	json_t *plan, *again, *stages, *stage;

	fixture_must_plan(f);
	plan = plan_json(f->plan, &f->facts, NULL);
	assert_non_null(plan);
	assert_string_equal(json_str_or(plan, "schema", ""), "kiln.plan/1");
	assert_int_equal(json_integer_value(json_object_get(plan, "epoch")), 1735689600);
	assert_true(json_is_null(json_object_get(plan, "profiler")));
	stages = json_object_get(plan, "stages");
	assert_int_equal(json_array_size(stages), f->plan->n_wanted);
	stage = json_array_get(stages, 0);
	assert_string_equal(json_str_or(stage, "address", ""), "t/plain/build");
	assert_string_equal(json_str_or(stage, "kind", ""), "build");
	assert_string_equal(json_str_or(stage, "where", ""), "demo.lua:1");
	assert_string_equal(json_str_or(stage, "state", ""), "run?");
	assert_int_equal(json_array_size(json_object_get(stage, "needs")), 0);
	assert_string_equal(json_string_value(json_array_get(json_object_get(stage, "argv"), 0)),
	                    "make");
	stage = json_array_get(stages, 4);
	assert_string_equal(json_str_or(stage, "address", ""), "t/pgo/build");
	assert_string_equal(json_string_value(json_array_get(json_object_get(stage, "needs"), 0)),
	                    "t/shared/merge");
	assert_int_equal(json_array_size(json_object_get(plan, "artefacts")), 1);
	assert_int_equal(json_array_size(json_object_get(plan, "profiles")), 2);
	assert_string_equal(
		json_str_or(json_array_get(json_object_get(plan, "profiles"), 0), "state", ""),
		"trained");
	again = plan_json(f->plan, &f->facts, NULL);
	assert_true(json_equal(plan, again));
	json_decref(plan);
	json_decref(again);
}

/* A pinned stage needs nothing: that is what the pin is for. */
static void pinned_stages_need_nothing(void **state)
{
	struct fixture *f = *state;
	json_t *plan, *stages, *v;
	size_t i, seen = 0;

	fixture_must_plan(f);
	fixture_pin(f, "t/pgo", "profile", &f->plan->profiles[0].identity);
	fixture_must_plan(f);
	plan = plan_json(f->plan, &f->facts, NULL);
	stages = json_object_get(plan, "stages");
	json_array_foreach (stages, i, v)
		if (str_eq(json_str_or(v, "address", ""), "t/shared/merge")) {
			assert_string_equal(json_str_or(v, "state", ""), "pinned");
			assert_int_equal(json_array_size(json_object_get(v, "needs")), 0);
			seen++;
		}
	assert_int_equal(seen, 1);
	assert_string_equal(
		json_str_or(json_array_get(json_object_get(plan, "profiles"), 0), "state", ""),
		"pinned");
	json_decref(plan);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_plan_as_text), TEST(states_are_told),
		TEST(ways_are_told),  TEST(targets_stand_together),
		TEST(a_plan_as_json), TEST(pinned_stages_need_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
