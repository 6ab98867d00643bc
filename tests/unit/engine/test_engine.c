/* The engine over a real store and a fake executor: order, caching, pins, dry runs. */
#include "fakes/world.h"

#include "base/str.h"
#include "store/place.h"

#define RUN(name, options)                                                                         \
	"{'address':'t/plain/" name "','target':'t','variant':'plain','name':'" name               \
	"','kind':'run','where':'demo.lua:2','options':{'argv':['make','" name                     \
	"'],'outputs':['o']" options "}}"
#define FROM(name) "{'at':'" name "','from':{'$stage':'t/plain/" name "','path':'o'}}"
#define TAKES(...) ",'inputs':[" __VA_ARGS__ "]"

/* ---- order -------------------------------------------------------------------------------- */

static void a_whole_pipeline(void **state)
{
	struct world *w = *state;

	world_pipeline(w);
	world_must_run(w);
	assert_int_equal(w->result.n_run, w->f.plan->n_wanted);
	assert_int_equal(w->fake.n_run, w->f.plan->n_wanted);
	assert_int_equal(w->result.n_cached + w->result.n_failed + w->result.n_skipped, 0);
	for (size_t i = 0; i < w->f.plan->n_wanted; i++) {
		const struct plan_node *node = &w->f.plan->nodes[w->f.plan->order[i]];
		size_t at = world_ran_at(w, node->stage->address);

		assert_int_equal(w->result.nodes[w->f.plan->order[i]].state, NODE_DONE);
		for (size_t d = 0; d < node->n_deps; d++)
			assert_true(
				world_ran_at(w, w->f.plan->nodes[node->deps[d]].stage->address) <
				at);
	}
	assert_true(str_starts(buf_text(&w->events), "begin\n"));
	assert_true(str_ends(buf_text(&w->events), "\nend\n"));
	assert_int_equal(w->n_events, 2 + 2 * w->f.plan->n_wanted);
	assert_true(w->fake.most_at_once <= 3);
}

/* What the plan does not want is not looked at. */
static void unwanted_stages_stay(void **state)
{
	struct world *w = *state;

	world_pipeline(w);
	world_must_run(w);
	assert_int_equal(world_state(w, "t/pgo+bolt/sample"), NODE_WANT);
	assert_false(world_ran(w, "t/pgo+bolt/sample"));
}

/* long-1 → long-2 → long-3 is the critical path; beside it everything is nice. */
static void the_longest_path_goes_first(void **state)
{
	struct world *w = *state;
	const struct fake_start *starts;

	fixture_load_parts(
		&w->f,
		"[" RUN("short", "") "," RUN("long-1", "") "," RUN("middle-1", "") "," RUN(
			"middle-2",
			TAKES(FROM(
				"middle-1"))) "," RUN("long-2",
	                                              TAKES(FROM(
							      "long-1"))) "," RUN("long-3",
	                                                                          TAKES(FROM(
											  "long-2"))) "]",
		"");
	world_plan(w, "t/plain/*");
	world_must_run(w);
	assert_string_equal(w->fake.ran[0], "t/plain/long-1");
	assert_string_equal(w->fake.ran[1], "t/plain/middle-1");
	assert_string_equal(w->fake.ran[2], "t/plain/short");
	starts = w->fake.starts;
	assert_int_equal(starts[0].request.nice, 0);
	assert_true(starts[1].request.nice > 0);
	assert_true(starts[2].request.nice > 0);
	assert_string_equal(starts[2].beside, "t/plain/long-1 t/plain/middle-1");
	/* Two jobs, and a filler. */
	assert_int_equal(w->fake.most_at_once, 3);
	assert_int_equal(starts[0].request.jobs, 2);
	assert_int_equal(starts[0].request.epoch, 1735689600);
	assert_true(world_node(w, "t/plain/long-1")->rank >
	            world_node(w, "t/plain/middle-1")->rank);
	assert_true(world_node(w, "t/plain/middle-1")->rank > world_node(w, "t/plain/short")->rank);
}

/* History beats guesses. */
static void times_of_last_time_rank(void **state)
{
	static const char two[] = "[" RUN("a", "") "," RUN("b", "") "]";
	struct world *w = *state;

	fixture_load_parts(&w->f, two, "");
	world_plan(w, "t/plain/a");
	w->fake.wall_us = 1000;
	world_must_run(w);
	world_plan(w, "t/plain/b");
	w->fake.wall_us = 90000000;
	world_must_run(w);
	w->f.facts.epoch++; /* everything is other work now */
	world_plan(w, "t/plain/*");
	world_must_run(w);
	assert_string_equal(w->fake.ran[0], "t/plain/b");
	assert_int_equal(world_node(w, "t/plain/b")->estimate, 90000000);
	assert_int_equal(world_node(w, "t/plain/a")->estimate, 1000);
}

static void exclusive_stages_run_alone(void **state)
{
	struct world *w = *state;

	fixture_load_parts(
		&w->f,
		"[" RUN("a", "") "," RUN("alone-1", ",'exclusive':true") "," RUN("b", "") "," RUN(
			"alone-2", ",'exclusive':true") "," RUN("c", "") "]",
		"");
	world_plan(w, "t/plain/*");
	w->request.jobs = 8;
	world_must_run(w);
	assert_int_equal(w->fake.n_run, 5);
	for (size_t i = 0; i < w->fake.n_run; i++) {
		if (strstr(w->fake.ran[i], "alone"))
			assert_string_equal(w->fake.starts[i].beside, "");
		assert_null(strstr(w->fake.starts[i].beside, "alone"));
	}
}

/* What a stage says it needs is there when it starts; the others wait, and none for ever. */
static void stages_share_processors_and_memory(void **state)
{
	struct world *w = *state;

	fixture_load_parts(
		&w->f,
		"[" RUN("a", ",'cpus':3") "," RUN("b", ",'cpus':3") "," RUN("c", ",'memory':60") "," RUN(
			"d",
			",'memory':60") "," RUN("e",
	                                        ",'memory':40") "," RUN("huge",
	                                                                ",'memory':1000,'cpus':99") "]",
		"");
	world_plan(w, "t/plain/*");
	w->request.jobs = 4;
	w->request.memory = 100;
	world_must_run(w);
	assert_int_equal(w->fake.n_run, 6);
	for (size_t i = 0; i < w->fake.n_run; i++) {
		const char *ran = w->fake.ran[i], *beside = w->fake.starts[i].beside;

		if (str_eq(ran, "t/plain/a") || str_eq(ran, "t/plain/b"))
			assert_false(strstr(beside, "plain/a") || strstr(beside, "plain/b"));
		if (str_eq(ran, "t/plain/c") || str_eq(ran, "t/plain/d"))
			assert_false(strstr(beside, "plain/c") || strstr(beside, "plain/d"));
		if (str_eq(ran, "t/plain/huge"))
			assert_string_equal(beside, "");
		assert_null(strstr(beside, "huge"));
	}
	assert_int_equal(w->fake.starts[world_ran_at(w, "t/plain/c")].request.memory, 60);
}

/* ---- caching ------------------------------------------------------------------------------ */

static void nothing_runs_twice(void **state)
{
	struct world *w = *state;
	struct digest before;

	world_pipeline(w);
	world_must_run(w);
	before = world_node(w, "t/pgo+bolt/pack")->action;
	for (int i = 0; i < 2; i++) {
		world_must_run(w);
		assert_int_equal(w->fake.n_run, 0);
		assert_int_equal(w->result.n_run, 0);
		assert_int_equal(w->result.n_cached, w->f.plan->n_wanted);
		assert_int_equal(world_state(w, "t/pgo+bolt/pack"), NODE_CACHED);
		assert_true(digest_eq(&world_node(w, "t/pgo+bolt/pack")->action, &before));
		assert_int_equal(w->n_events, 2 + w->f.plan->n_wanted);
		fixture_must_plan(&w->f);
	}
}

/* What takes changed content runs; what takes the same content again does not. */
static void early_cutoff(void **state)
{
	struct world *w = *state;

	w->fake.constant = "t/plain/build";
	world_pipeline(w);
	world_plan(w, "t/plain/hold");
	world_must_run(w);
	assert_int_equal(w->fake.n_run, 2);
	world_leaf(w, "source", "int main; /* a comment */\n");
	world_plan(w, "t/plain/hold");
	world_must_run(w);
	assert_int_equal(w->fake.n_run, 1);
	assert_string_equal(w->fake.ran[0], "t/plain/build");
	assert_int_equal(world_state(w, "t/plain/hold"), NODE_CACHED);
	/* And where the bytes do change, so does everything behind them. */
	w->fake.constant = NULL;
	world_leaf(w, "source", "int other;\n");
	world_plan(w, "t/plain/hold");
	world_must_run(w);
	assert_int_equal(w->fake.n_run, 2);
}

static void only_the_changed_part_runs(void **state)
{
	struct world *w = *state;

	world_pipeline(w);
	world_must_run(w);
	world_leaf(w, "work", "other words\n");
	fixture_must_plan(&w->f);
	world_must_run(w);
	/* Compiling needs no training data; the training does, and all that stands on it. */
	assert_int_equal(world_state(w, "t/plain/build"), NODE_CACHED);
	assert_int_equal(world_state(w, "t/shared/counted"), NODE_CACHED);
	assert_true(world_ran(w, "t/shared/train"));
	assert_true(world_ran(w, "t/plain/hold"));
	assert_true(world_ran(w, "t/pgo+bolt/pack"));
	/* The program still prints the same, so there is nothing to compare anew. */
	assert_int_equal(world_state(w, "t/pgo+bolt/smoke"), NODE_CACHED);
	assert_int_equal(w->result.n_cached, 3);
}

/* A blob that went missing is made again. */
static void lost_content_is_made_again(void **state)
{
	struct world *w = *state;

	world_pipeline(w);
	world_plan(w, "t/plain/hold");
	world_must_run(w);
	world_lose_output(w, "t/plain/build");
	world_must_run(w);
	assert_int_equal(w->fake.n_run, 1);
	assert_string_equal(w->fake.ran[0], "t/plain/build");
	assert_int_equal(world_state(w, "t/plain/hold"), NODE_CACHED);
}

/* ---- equal work under two names ----------------------------------------------------------- */

#define TWIN(name, options)                                                                        \
	"{'address':'t/plain/" name "','target':'t','variant':'plain','name':'" name               \
	"','kind':'run','options':{'argv':['make','twin'],'outputs':['o']" options "}}"

static void twins_run_once(void **state)
{
	struct world *w = *state;

	fixture_load_parts(&w->f,
	                   "[" TWIN("a", "") "," TWIN("b", "") "," RUN(
				   "c", TAKES(FROM("a"))) "," RUN("d", TAKES(FROM("b"))) "]",
	                   "");
	world_plan(w, "t/plain/*");
	world_must_run(w);
	assert_int_equal(w->fake.n_run, 3);
	assert_int_equal(world_ran(w, "t/plain/a") + world_ran(w, "t/plain/b"), 1);
	assert_int_equal(w->result.n_run, 3);
	assert_int_equal(w->result.n_cached, 1);
	assert_true(digest_eq(&world_node(w, "t/plain/a")->result->outputs[0].node->ref.digest,
	                      &world_node(w, "t/plain/b")->result->outputs[0].node->ref.digest));
}

/* Twins that meet only later: the second finds what the first made, or waits for it. */
static void twins_of_other_depths(void **state)
{
	struct world *w = *state;

	w->fake.constant = "t/plain/[xy]";
	fixture_load_parts(
		&w->f,
		"[" RUN("x", "") "," RUN("y", ",'cpus':2,'env':{'A':'1'}") "," TWIN(
			"a",
			TAKES("{'at':'i','from':{'$stage':'t/plain/x','path':'o'}}")) "," TWIN("b",
	                                                                                       TAKES("{'at':'i','from':{'$stage':'t/plain/y','path':'o'}}")) "]",
		"");
	world_plan(w, "t/plain/*");
	w->request.jobs = 0; /* one at a time */
	world_must_run(w);
	assert_int_equal(w->fake.most_at_once, 1);
	assert_int_equal(world_ran(w, "t/plain/a") + world_ran(w, "t/plain/b"), 1);
	assert_int_equal(w->result.n_cached, 1);
}

/* ---- pins --------------------------------------------------------------------------------- */

static void pinned_profiles_are_taken(void **state)
{
	struct world *w = *state;
	struct fact_pin *pin = arena_alloc(w->f.arena, sizeof(*pin));

	world_pipeline(w);
	pin->identity = w->f.plan->profiles[0].identity;
	pin->file = (struct tree_node){ .name = "", .kind = NODE_FILE };
	must(blobs_put(store_blobs(w->store), "profile", 7, &pin->file.ref, &w->err), &w->err);
	map_set(w->f.facts.pins, "t/pgo", pin);
	world_plan(w, "t/pgo/build");
	world_must_run(w);
	assert_int_equal(world_state(w, "t/shared/merge"), NODE_PINNED);
	assert_int_equal(world_state(w, "t/pgo/build"), NODE_DONE);
	assert_int_equal(w->fake.n_run, 1);
	/* A pin alone is a goal without work. */
	world_plan(w, "t/shared/merge");
	world_must_run(w);
	assert_int_equal(w->fake.n_run, 0);
	assert_string_equal(buf_text(&w->events), "begin\nend\n");
}

/* ---- dry runs ----------------------------------------------------------------------------- */

static void dry_runs_only_look(void **state)
{
	struct world *w = *state;

	world_pipeline(w);
	world_plan(w, "t/plain/hold");
	w->request.dry = true;
	w->request.executor = NULL;
	world_must_run(w);
	assert_int_equal(world_state(w, "t/plain/build"), NODE_READY);
	assert_int_equal(world_state(w, "t/plain/hold"), NODE_WANT);

	w->request.dry = false;
	w->request.executor = &w->fake.base;
	world_plan(w, "t/plain/build");
	world_must_run(w);
	w->request.dry = true;
	w->request.executor = NULL;
	world_plan(w, "t/plain/hold");
	world_must_run(w);
	assert_int_equal(world_state(w, "t/plain/build"), NODE_CACHED);
	assert_int_equal(world_state(w, "t/plain/hold"), NODE_READY);
	assert_int_equal(w->result.n_cached, 1);
	assert_int_equal(w->result.n_run, 0);
}

/* ---- outputs ------------------------------------------------------------------------------ */

static void outputs_are_found(void **state)
{
	struct world *w = *state;
	struct blobs *blobs = store_blobs(w->store);
	struct result_output outputs[2];
	struct result result = { .outputs = outputs, .n_outputs = 2 };
	struct tree_node dir = { .name = "", .kind = NODE_DIR }, file = { .name = "" }, found;

	must(blobs_put(blobs, "out", 3, &result.out, &w->err), &w->err);
	must(blobs_put(blobs, "log", 3, &result.log, &w->err), &w->err);
	must(blobs_put(blobs, "file", 4, &file.ref, &w->err), &w->err);
	must(place_compose(blobs, &(struct placement){ .at = "a/b", .node = file }, 1, &dir.ref,
	                   &w->err),
	     &w->err);
	outputs[0] = (struct result_output){ "prefix", &dir };
	outputs[1] = (struct result_output){ "pre", &file };
#define FINDS(path, want)                                                                          \
	do {                                                                                       \
		must(engine_output(blobs, w->f.arena, &result, path, &found, &w->err), &w->err);   \
		assert_true(digest_eq(&found.ref.digest, &(want).digest));                         \
	} while (0)
#define LACKS(path)                                                                                \
	assert_int_equal(engine_output(blobs, w->f.arena, &result, path, &found, &w->err),         \
	                 PLACE_MISSING)
	FINDS("@stdout", result.out);
	FINDS("@log", result.log);
	FINDS("prefix", dir.ref);
	FINDS("prefix/a/b", file.ref);
	FINDS("pre", file.ref);
	LACKS("pre/a");
	LACKS("prefix/a/c");
	LACKS("prefi");
	LACKS("");
	LACKS("other");
}

/* ---- size --------------------------------------------------------------------------------- */

static void load_chain(struct world *w, int n)
{
	struct buf text = BUF_INIT(64 << 20);

	buf_add_char(&text, '[');
	for (int i = 0; i < n; i++) {
		buf_fmt(&text,
		        "%s{'address':'t/plain/%d','target':'t','variant':'plain','name':'%d',"
		        "'kind':'run','options':{'argv':['make','%d'],'outputs':['o']",
		        i ? "," : "", i, i, i);
		if (i > 0)
			buf_fmt(&text,
			        ",'inputs':[{'at':'i','from':{'$stage':'t/plain/%d','path':'o'}}]",
			        i - 1);
		buf_add_str(&text, "}}");
	}
	buf_add_char(&text, ']');
	fixture_load_parts(&w->f, buf_text(&text), "");
	buf_deinit(&text);
}

/* A chain as long as no recipe: nothing may take the stack for it, whichever way it ends. */
static void long_chains(void **state)
{
	struct world *w = *state;

	load_chain(w, 20000);
	world_plan(w, "t/plain/19999");
	assert_int_equal(w->f.plan->n_wanted, 20000);
	w->fake.fail = "t/plain/0";
	assert_int_equal(world_run(w), -1);
	assert_int_equal(w->err.code, ERR_STAGE);
	assert_int_equal(w->result.n_skipped, 19999);
	w->fake.fail = "t/plain/1500";
	assert_int_equal(world_run(w), -1);
	assert_int_equal(w->result.n_run, 1500);
	assert_int_equal(w->result.n_skipped, 20000 - 1501);
	assert_int_equal(world_run(w), -1);
	assert_int_equal(w->result.n_cached, 1500);
	assert_int_equal(w->fake.n_run, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_whole_pipeline),
		TEST(unwanted_stages_stay),
		TEST(the_longest_path_goes_first),
		TEST(times_of_last_time_rank),
		TEST(exclusive_stages_run_alone),
		TEST(stages_share_processors_and_memory),
		TEST(nothing_runs_twice),
		TEST(early_cutoff),
		TEST(only_the_changed_part_runs),
		TEST(lost_content_is_made_again),
		TEST(twins_run_once),
		TEST(twins_of_other_depths),
		TEST(pinned_profiles_are_taken),
		TEST(dry_runs_only_look),
		TEST(outputs_are_found),
		TEST(long_chains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
