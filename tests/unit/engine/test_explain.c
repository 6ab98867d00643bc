/* Why stages run, over a real store and a fake executor. What recipes can do is in tests/e2e/explain. */
#include "fakes/world.h"

#include "base/str.h"
#include "engine/explain.h"
#include "report/explain_text.h"

struct subject {
	struct world w;
	const struct explanation **all;
	const char *packages[2]; /* of the image before and now, as JSON; NULL: not known */
	struct digest before;
};

static int setup(void **state)
{
	struct subject *s = alloc(sizeof(*s));

	world_init(&s->w);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct subject *s = *state;

	world_deinit(&s->w);
	free(s);
	return 0;
}

static json_t *packages_of(void *data, const struct digest *image)
{
	const struct subject *s = data;
	const char *text = s->packages[digest_eq(image, &s->before) ? 0 : 1];

	return text ? fixture_json(text) : NULL;
}

/* Looks the plan up and explains one stage of it, or all. */
static const struct explanation *explained(struct subject *s, const char *address)
{
	struct world *w = &s->w;
	struct engine_request dry = w->request;
	bool *which = address ? arena_array(w->f.arena, w->f.plan->n_nodes, sizeof(*which)) : NULL;
	struct explain_request request = {
		.plan = w->f.plan,
		.facts = &w->f.facts,
		.store = w->store,
		.recipe = "fixture",
		.premises = w->request.premises,
		.packages = packages_of,
		.data = s,
	};

	dry.dry = true;
	dry.plan = w->f.plan;
	dry.sinks = NULL;
	must(engine_run(w->f.arena, &dry, &w->result, &w->err), &w->err);
	request.nodes = w->result.nodes;
	s->all = arena_array(w->f.arena, w->f.plan->n_nodes, sizeof(*s->all));
	if (address)
		which[fixture_node(&w->f, address)] = true;
	must(explain(w->f.arena, &request, which, s->all, &w->err), &w->err);
	return address ? s->all[fixture_node(&w->f, address)] : NULL;
}

static const char *summary(struct subject *s, const char *address)
{
	const struct explanation *e = explained(s, address);
	const char *text;

	assert_non_null(e);
	text = explain_summary(s->w.f.arena, e);
	return text ? text : "-";
}

static const char *told(struct subject *s, const char *address)
{
	_cleanup_buf_ struct buf text = BUF_INIT(1 << 24);

	explain_text(explained(s, address), &text);
	return arena_str(s->w.f.arena, buf_text(&text));
}

static void run_once(struct subject *s)
{
	world_pipeline(&s->w);
	world_must_run(&s->w);
}

/* ---- profiles ------------------------------------------------------------------------------- */

static void pin(struct subject *s, const char *seed)
{
	struct world *w = &s->w;
	struct digest identity = w->f.plan->profiles[0].identity;

	fixture_pin(&w->f, "t/pgo", seed, &identity);
	fixture_must_plan(&w->f);
}

static void a_profile_that_the_lock_pins_now(void **state)
{
	struct subject *s = *state;
	const char *text;

	run_once(s);
	pin(s, "profile");
	text = told(s, "t/pgo/build");
	assert_contains(text, "t/pgo/build will run: this changed since its last run\n");
	assert_contains(text,
	                "\n  input kiln.profdata  the stage t/shared/merge:merged.profdata → the "
	                "lock in place of t/shared/merge:merged.profd…\n");
	assert_int_equal(explained(s, "t/shared/merge")->state, EXPLAIN_PINNED);
	assert_string_equal(summary(s, "t/shared/merge"), "-");
	assert_contains(told(s, "t/shared/merge"), "is pinned: the lock has what it makes\n");
}

static void another_profile_in_the_lock(void **state)
{
	struct subject *s = *state;

	run_once(s);
	pin(s, "profile");
	world_must_run(&s->w);
	pin(s, "profile 2");
	assert_string_equal(summary(s, "t/pgo/build"), "t/shared/merge changed");
	assert_contains(told(s, "t/pgo/build"), "\n  profile t/shared/merge  ");
	assert_contains(told(s, "t/pgo/build"),
	                "\n  not because of: sources, other stages, image, command line, "
	                "environment\n");
}

/* ---- images --------------------------------------------------------------------------------- */

static void packages_of_an_image(void **state)
{
	struct subject *s = *state;
	const struct explanation *e;

	run_once(s);
	s->before = ((struct fact_image *)map_get(s->w.f.facts.images, "trixie"))->tree;
	fixture_image(&s->w.f, "trixie", "another tree", "clang-19=1");
	fixture_must_plan(&s->w.f);
	/* Not known: the digests are all there is. */
	e = explained(s, "t/plain/build");
	assert_int_equal(e->changes.n, 1);
	assert_int_equal(e->changes.list[0].kind, CHANGE_IMAGE);
	s->packages[0] = "[{'name':'a','architecture':'all','version':'1'},"
			 "{'name':'b','architecture':'amd64','version':'1'},"
			 "{'name':'c','architecture':'amd64','version':'1'}]";
	s->packages[1] = "[{'name':'a','architecture':'all','version':'1'},"
			 "{'name':'b','architecture':'amd64','version':'2'},"
			 "{'name':'b','architecture':'arm64','version':'2'}]";
	assert_contains(told(s, "t/plain/build"), "\n  package b:amd64  1 → 2\n"
	                                          "  package c:amd64  1 → nothing\n"
	                                          "  package b:arm64  nothing → 2\n");
}

/* ---- what the store does not know ------------------------------------------------------------- */

static void nothing_ran_yet(void **state)
{
	struct subject *s = *state;

	world_pipeline(&s->w);
	assert_string_equal(summary(s, "t/plain/build"), "never ran here");
	assert_string_equal(summary(s, "t/pgo+bolt/build"), "never ran here");
	assert_int_equal(explained(s, "t/pgo+bolt/build")->state, EXPLAIN_MAY_RUN);
	assert_contains(told(s, "t/pgo+bolt/build"),
	                "\n  t/pgo/build may run, once this has run: it never ran here\n");
}

static void forget(struct subject *s, const struct digest *action)
{
	char hex[DIGEST_HEX_SIZE];
	_cleanup_free_ char *path = NULL;

	digest_hex(action, hex);
	path = str_fmt("%s/blobs/%.2s/%s", store_dir(s->w.store), hex, hex + 2);
	assert_int_equal(unlink(path), 0);
}

static void the_earlier_action_is_not_kept(void **state)
{
	struct subject *s = *state;

	run_once(s);
	forget(s, &world_node(&s->w, "t/plain/build")->action);
	world_leaf(&s->w, "source", "int main2;\n");
	fixture_must_plan(&s->w.f);
	assert_string_equal(summary(s, "t/plain/build"), "its last action is not kept");
	assert_contains(told(s, "t/plain/hold"), "t/plain/build will run: what it was made of "
	                                         "before is not kept any more\n");
}

/* Stores of an older Kiln have actions without origins: the trees are compared as they were laid out. */
static void actions_without_origins(void **state)
{
	struct subject *s = *state;
	struct err err = ERR_INIT;

	run_once(s);
	must(store_put_origins(s->w.store, "fixture:t/plain/build",
	                       &world_node(&s->w, "t/plain/build")->action, "{\"odd\": true}",
	                       &err),
	     &err);
	world_leaf(&s->w, "source", "int main2;\n");
	fixture_must_plan(&s->w.f);
	assert_string_equal(summary(s, "t/plain/build"), "src/text changed");
	assert_contains(told(s, "t/plain/build"), "\n  src/text  ");
}

/* ---- how far it goes -------------------------------------------------------------------------- */

static const char *chain(struct subject *s, size_t n, const char *word)
{
	_cleanup_buf_ struct buf text = BUF_INIT(16 << 20);

	buf_add_str(&text, "[");
	for (size_t i = 0; i < n; i++) {
		buf_fmt(&text,
		        "%s{'address':'t/plain/s%zu','target':'t','variant':'plain','name':'s%zu',"
		        "'kind':'run','where':'demo.lua:2','options':{'argv':['make','%s'],"
		        "'outputs':['o']",
		        i ? "," : "", i, i, i ? "again" : word);
		if (i)
			buf_fmt(&text,
			        ",'inputs':[{'at':'in','from':{'$stage':'t/plain/s%zu','path':'o'}}]",
			        i - 1);
		buf_add_str(&text, "}}");
	}
	buf_add_str(&text, "]");
	return arena_str(s->w.f.arena, buf_text(&text));
}

static void load_chain(struct subject *s, size_t n, const char *word)
{
	fixture_load_parts(&s->w.f, chain(s, n, word), "");
	world_plan(&s->w, arena_fmt(s->w.f.arena, "t/plain/s%zu", n - 1));
}

static void a_long_chain_before_it_runs_and_after(void **state)
{
	struct subject *s = *state;
	const struct explanation *e;
	size_t depth = 0;

	load_chain(s, 400, "one");
	world_must_run(&s->w);
	load_chain(s, 400, "two");
	assert_string_equal(summary(s, "t/plain/s399"), "argument 2 changed, by way of plain/s0");
	world_must_run(&s->w);
	e = explained(s, "t/plain/s399");
	assert_int_equal(e->state, EXPLAIN_CACHED);
	assert_int_equal(e->reason, REASON_CHANGED);
	/* The names of the stages go on where it stops. */
	while (e->changes.n && e->changes.list[0].because) {
		assert_int_equal(e->changes.n, 1);
		e = e->changes.list[0].because;
		depth++;
	}
	assert_int_equal(depth, 200);
	assert_string_equal(e->changes.list[0].what, "t/plain/s198");
}

/* Only what is asked about, and what it waits for, is looked into. */
static void others_are_left_out(void **state)
{
	struct subject *s = *state;

	run_once(s);
	world_leaf(&s->w, "source", "int main2;\n");
	fixture_must_plan(&s->w.f);
	explained(s, "t/plain/hold");
	assert_non_null(s->all[fixture_node(&s->w.f, "t/plain/build")]);
	assert_null(s->all[fixture_node(&s->w.f, "t/pgo/build")]);
	explained(s, NULL);
	for (size_t i = 0; i < s->w.f.plan->n_nodes; i++)
		assert_int_equal(s->all[i] != NULL, s->w.f.plan->nodes[i].wanted);
}

/* ---- JSON ----------------------------------------------------------------------------------- */

/* Each stage stands in it once, however many ways lead to it. */
static void stages_stand_once_in_json(void **state)
{
	struct subject *s = *state;
	const struct explanation *list[2];
	_cleanup_json_ json_t *json = NULL;
	json_t *stages;

	run_once(s);
	world_leaf(&s->w, "source", "int main2;\n");
	fixture_must_plan(&s->w.f);
	explained(s, NULL);
	list[0] = s->all[fixture_node(&s->w.f, "t/plain/hold")];
	list[1] = s->all[fixture_node(&s->w.f, "t/plain/build")];
	json = explain_json(list, 2);
	stages = json_object_get(json, "stages");
	assert_int_equal(json_array_size(stages), 2);
	assert_int_equal(
		json_integer_value(json_object_get(
			json_array_get(json_object_get(json_array_get(stages, 0), "changes"), 0),
			"because")),
		1);
	assert_string_equal(json_str_or(json_array_get(stages, 1), "address", ""), "t/plain/build");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_profile_that_the_lock_pins_now),
		TEST(another_profile_in_the_lock),
		TEST(packages_of_an_image),
		TEST(nothing_ran_yet),
		TEST(the_earlier_action_is_not_kept),
		TEST(actions_without_origins),
		TEST(a_long_chain_before_it_runs_and_after),
		TEST(others_are_left_out),
		TEST(stages_stand_once_in_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
