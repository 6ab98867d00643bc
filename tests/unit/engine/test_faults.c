/* What goes wrong while a plan is carried out, and what is kept of it. */
#include "fakes/world.h"

#include "base/str.h"

#define RUN(name, inputs)                                                                          \
	"{'address':'t/plain/" name "','target':'t','variant':'plain','name':'" name               \
	"','kind':'run','where':'demo.lua:2','options':{'argv':['make','" name                     \
	"'],'outputs':['o'],'inputs':[" inputs "]}}"
#define TWIN(name, inputs)                                                                         \
	"{'address':'t/plain/" name "','target':'t','variant':'plain','name':'" name               \
	"','kind':'run','options':{'argv':['make','twin'],'outputs':['o'],'inputs':[" inputs "]}}"
#define FROM(name) "{'at':'i','from':{'$stage':'t/plain/" name "','path':'o'}}"

/* bad → after → last beside good → more; bad has the longest path. */
static void load_two_paths(struct world *w)
{
	fixture_load_parts(
		&w->f,
		"[" RUN("bad", "") "," RUN("after", FROM("bad")) "," RUN(
			"last", FROM("after")) "," RUN("good", "") "," RUN("more",
	                                                                   FROM("good")) "]",
		"");
	world_plan(w, "t/plain/*");
	w->fake.fail = "t/plain/bad";
}

static void a_failure_stops_what_is_new(void **state)
{
	struct world *w = *state;

	load_two_paths(w);
	w->fake.fail_why = "exit status 2";
	assert_int_equal(world_run(w), -1);
	assert_int_equal(w->err.code, ERR_STAGE);
	assert_string_equal(w->err.cause, "t/plain/bad failed: exit status 2");
	assert_int_equal(world_state(w, "t/plain/bad"), NODE_FAILED);
	assert_int_equal(world_state(w, "t/plain/after"), NODE_SKIPPED);
	assert_int_equal(world_state(w, "t/plain/last"), NODE_SKIPPED);
	/* What ran beside it is finished and kept; nothing new begins. */
	assert_int_equal(world_state(w, "t/plain/good"), NODE_DONE);
	assert_false(world_ran(w, "t/plain/more"));
	assert_int_equal(world_state(w, "t/plain/more"), NODE_SKIPPED);
	assert_int_equal(w->result.n_failed, 1);
	assert_int_equal(w->result.n_skipped, 3);
	assert_contains(buf_text(&w->events),
	                "failed t/plain/bad\nskipped t/plain/after\nskipped t/plain/last\n");
	assert_contains(buf_text(&w->events), "skipped t/plain/more\n");
}

static void keep_going_skips_dependants_only(void **state)
{
	struct world *w = *state;

	load_two_paths(w);
	w->request.keep_going = true;
	assert_int_equal(world_run(w), -1);
	assert_int_equal(w->err.code, ERR_STAGE);
	assert_int_equal(world_state(w, "t/plain/more"), NODE_DONE);
	assert_int_equal(w->result.n_run, 2);
	assert_int_equal(w->result.n_skipped, 2);
	/* Mended, only the rest runs. */
	w->fake.fail = NULL;
	world_must_run(w);
	assert_int_equal(w->fake.n_run, 3);
	assert_int_equal(w->result.n_cached, 2);
}

/* The first failure is the one that is told, whatever comes after it. */
static void the_first_failure_is_told(void **state)
{
	struct world *w = *state;

	load_two_paths(w);
	w->fake.fail = "t/plain/*d";
	w->request.keep_going = true;
	assert_int_equal(world_run(w), -1);
	assert_int_equal(w->result.n_failed, 2);
	assert_int_equal(w->result.n_skipped, 3);
	assert_contains(w->err.cause, "t/plain/bad failed");
}

static void fail_fast_ends_the_others(void **state)
{
	struct world *w = *state;

	load_two_paths(w);
	w->fake.hold = "t/plain/good";
	w->request.fail_fast = true;
	assert_int_equal(world_run(w), -1);
	assert_int_equal(w->err.code, ERR_STAGE);
	assert_int_equal(world_state(w, "t/plain/good"), NODE_SKIPPED);
	assert_int_equal(w->result.n_failed, 1);
	assert_int_equal(w->result.n_skipped, 4);
	/* Whoever watches hears of each that began how it ended. */
	assert_contains(buf_text(&w->events), "skipped t/plain/good\n");
	assert_contains(buf_text(&w->events), "skipped t/plain/more\n");
}

static void a_failure_is_kept_for_its_log(void **state)
{
	struct world *w = *state;
	struct digest action, last;
	struct result result;
	int64_t wall;

	load_two_paths(w);
	assert_int_equal(world_run(w), -1);
	must(store_get_failure(w->store, w->f.arena, "fixture:t/plain/bad", &action, &result,
	                       &w->f.err),
	     &w->f.err);
	assert_int_equal(result.exit_code, 1);
	assert_true(digest_eq(&action, &world_node(w, "t/plain/bad")->action));
	/* It is no result: the next run tries again. */
	assert_int_equal(store_get_result(w->store, w->f.arena, &action, &result, &w->f.err),
	                 STORE_MISS);
	assert_int_equal(world_run(w), -1);
	assert_true(world_ran(w, "t/plain/bad"));
	w->fake.fail = NULL;
	world_must_run(w);
	assert_int_equal(store_get_failure(w->store, w->f.arena, "fixture:t/plain/bad", &action,
	                                   &result, &w->f.err),
	                 STORE_MISS);
	must(store_last_action(w->store, "fixture:t/plain/bad", &last, &wall, &w->f.err),
	     &w->f.err);
	assert_true(digest_eq(&last, &world_node(w, "t/plain/bad")->action));
}

/* Going back to what worked: what failed in between is no longer what the address means. */
static void a_cached_result_becomes_the_last(void **state)
{
	struct world *w = *state;
	struct digest good, action;
	struct result result;
	int64_t wall;

	world_pipeline(w);
	world_plan(w, "t/plain/build");
	world_must_run(w);
	good = world_node(w, "t/plain/build")->action;
	world_leaf(w, "source", "broken\n");
	w->fake.fail = "t/plain/build";
	assert_int_equal(world_run(w), -1);
	world_leaf(w, "source", "int main;\n");
	world_must_run(w);
	assert_int_equal(w->result.n_cached, 1);
	assert_int_equal(store_get_failure(w->store, w->f.arena, "fixture:t/plain/build", &action,
	                                   &result, &w->f.err),
	                 STORE_MISS);
	must(store_last_action(w->store, "fixture:t/plain/build", &action, &wall, &w->f.err),
	     &w->f.err);
	assert_true(digest_eq(&action, &good));
}

static void a_broken_machine_is_no_failed_stage(void **state)
{
	struct world *w = *state;

	load_two_paths(w);
	w->fake.fail = NULL;
	w->fake.broken = "t/plain/bad";
	w->request.keep_going = true;
	assert_int_equal(world_run(w), -1);
	assert_int_equal(w->err.code, ERR_IO);
	assert_contains(w->err.cause, "the fake machine broke");
	assert_contains(w->err.trail, "running t/plain/bad");
	assert_int_equal(w->result.n_failed, 0);
	assert_int_equal(w->result.n_skipped, 3);
	/* What does not need it went on, and is kept. */
	assert_int_equal(world_state(w, "t/plain/more"), NODE_DONE);
	w->fake.broken = NULL;
	world_must_run(w);
	assert_false(world_ran(w, "t/plain/good"));
	assert_true(world_ran(w, "t/plain/bad"));
}

struct holder {
	struct event_sink sink;
	struct world *w;
};

/* With the first tick, what is held may end. */
static void let_go(struct event_sink *sink, const struct event *event)
{
	if (event->kind == EVENT_TICK)
		((struct holder *)sink)->w->fake.hold = NULL;
}

static void what_runs_beside_what_breaks_is_kept(void **state)
{
	struct world *w = *state;
	struct holder holder = { .sink = { let_go }, .w = w };

	load_two_paths(w);
	w->fake.fail = NULL;
	w->fake.broken = "t/plain/bad";
	w->fake.hold = "t/plain/good";
	w->beside = &holder.sink;
	assert_int_equal(world_run(w), -1);
	assert_contains(w->err.trail, "running t/plain/bad");
	assert_int_equal(world_state(w, "t/plain/good"), NODE_DONE);
	/* Nothing new begins. */
	assert_int_equal(world_state(w, "t/plain/more"), NODE_SKIPPED);
	assert_int_equal(w->result.n_skipped, 4);
}

/* Each that breaks is told; the run ends with the first, and not with a stage that failed before. */
static void more_than_one_breaks(void **state)
{
	struct world *w = *state;

	load_two_paths(w);
	w->fake.fail = "t/plain/bad";
	w->fake.broken = "t/plain/?o*";
	w->request.keep_going = true;
	assert_int_equal(world_run(w), -1);
	assert_int_equal(w->err.code, ERR_IO);
	assert_contains(w->err.trail, "running t/plain/good");
	assert_int_equal(w->result.n_failed, 1);
	w->fake.fail = NULL;
	w->fake.broken = "t/plain/*d";
	assert_int_equal(world_run(w), -1);
	assert_contains(w->err.trail, "running t/plain/bad");
	assert_contains(buf_text(&w->events), "note t/plain/good");
}

static void what_cannot_be_started(void **state)
{
	struct world *w = *state;

	load_two_paths(w);
	w->fake.fail = NULL;
	w->fake.refuse = "t/plain/good";
	assert_int_equal(world_run(w), -1);
	assert_int_equal(w->err.code, ERR_MACHINE);
	assert_true(str_ends(buf_text(&w->events), "\nend\n"));
	w->fake.refuse = NULL;
	world_must_run(w);
	assert_false(world_ran(w, "t/plain/bad"));
}

/* ---- interrupted -------------------------------------------------------------------------- */

static void interrupted_keeps_what_is_done(void **state)
{
	struct world *w = *state;

	load_two_paths(w);
	w->fake.fail = NULL;
	w->fake.hold = "t/plain/after";
	w->cancel_when = "start t/plain/after";
	w->request.cancel_fd = w->cancel[0];
	assert_int_equal(world_run(w), -1);
	assert_int_equal(w->err.code, ERR_INTERRUPTED);
	assert_contains(w->err.cause, "2 finished stages are kept");
	assert_int_equal(world_state(w, "t/plain/after"), NODE_SKIPPED);
	assert_int_equal(world_state(w, "t/plain/last"), NODE_SKIPPED);
	assert_contains(buf_text(&w->events), "skipped t/plain/after\n");
	w->fake.hold = NULL;
	w->request.cancel_fd = -1;
	world_must_run(w);
	assert_int_equal(w->result.n_cached, 2);
	assert_int_equal(w->fake.n_run, 3);
}

static void interrupted_before_anything_ran(void **state)
{
	struct world *w = *state;

	load_two_paths(w);
	w->fake.fail = NULL;
	w->fake.hold = "**";
	assert_int_equal(write(w->cancel[1], "", 1), 1);
	w->request.cancel_fd = w->cancel[0];
	assert_int_equal(world_run(w), -1);
	assert_int_equal(w->err.code, ERR_INTERRUPTED);
	assert_int_equal(w->result.n_run, 0);
	assert_int_equal(w->fake.n_run, 2);
}

/* ---- twins of what failed ----------------------------------------------------------------- */

static void twins_of_a_failure_are_skipped(void **state)
{
	struct world *w = *state;

	fixture_load_parts(&w->f,
	                   "[" TWIN("a", "") "," TWIN("b", "") "," RUN("c", FROM("a")) "," RUN(
				   "d", FROM("b")) "," RUN("e", "") "]",
	                   "");
	world_plan(w, "t/plain/*");
	w->fake.fail = "t/plain/[ab]";
	w->request.keep_going = true;
	assert_int_equal(world_run(w), -1);
	assert_int_equal(w->result.n_failed, 1);
	assert_int_equal(w->result.n_skipped, 3);
	assert_int_equal(w->result.n_run, 1);
	assert_contains(buf_text(&w->events), "skipped t/plain/c\n");
	assert_contains(buf_text(&w->events), "skipped t/plain/d\n");
}

/* Work that failed in this run is not tried again under another name, and is not waited for. */
static void late_twins_of_a_failure_are_skipped(void **state)
{
	struct world *w = *state;

	w->fake.constant = "t/plain/[xz]*";
	fixture_load_parts(
		&w->f,
		"[" RUN("x", "") "," TWIN("early", FROM("x")) "," RUN("y", "") "," RUN(
			"z", FROM("y")) "," TWIN("late", FROM("z")) "," RUN("behind",
	                                                                    FROM("late")) "]",
		"");
	world_plan(w, "t/plain/*");
	w->fake.fail = "t/plain/*a[rt]*";
	w->request.keep_going = true;
	assert_int_equal(world_run(w), -1);
	assert_int_equal(w->result.n_failed, 1);
	assert_int_equal(world_ran(w, "t/plain/early") + world_ran(w, "t/plain/late"), 1);
	assert_int_equal(world_state(w, "t/plain/behind"), NODE_SKIPPED);
	assert_int_equal(w->result.n_skipped, 2);
	assert_int_equal(w->result.n_run, 3);
}

static void interrupted_twins_are_skipped(void **state)
{
	struct world *w = *state;

	fixture_load_parts(&w->f, "[" TWIN("a", "") "," TWIN("b", "") "," RUN("d", FROM("b")) "]",
	                   "");
	world_plan(w, "t/plain/*");
	w->fake.hold = "**";
	w->cancel_when = "start t/plain/b";
	w->request.cancel_fd = w->cancel[0];
	assert_int_equal(world_run(w), -1);
	assert_int_equal(w->err.code, ERR_INTERRUPTED);
	assert_int_equal(w->result.n_skipped, 3);
}

/* ---- inputs that are not there ------------------------------------------------------------ */

static void missing_paths_name_stage_and_place(void **state)
{
	struct world *w = *state;

	world_leaf(w, "source", "text\n");
	fixture_load_parts(
		&w->f,
		"[" RUN("a", "{'at':'i','from':{'$leaf':'source','path':'no/such'}}") "," RUN(
			"b",
			"{'at':'i','from':{'$stage':'t/plain/c','path':'o/below'}}") "," RUN("c",
	                                                                                     "") "]",
		"");
	world_plan(w, "t/plain/a");
	assert_int_equal(world_run(w), -1);
	assert_int_equal(w->err.code, ERR_INPUT);
	assert_string_equal(w->err.cause, "demo.lua:2: t/plain/a takes \"no/such\" of source, "
	                                  "which has no such file");
	/* Here it is only known when c has run; c is kept. */
	world_plan(w, "t/plain/b");
	assert_int_equal(world_run(w), -1);
	assert_int_equal(w->err.code, ERR_STAGE);
	assert_contains(w->err.cause, "t/plain/b takes \"o/below\" of t/plain/c");
	assert_int_equal(world_state(w, "t/plain/b"), NODE_FAILED);
	assert_int_equal(w->result.n_failed, 1);
	assert_int_equal(w->result.n_run, 1);
	assert_int_equal(world_run(w), -1);
	assert_int_equal(w->result.n_cached, 1);
}

/* A misspelt file of a source is found before anything has run, however late it is needed. */
static void misspelt_files_are_found_first(void **state)
{
	struct world *w = *state;

	world_leaf(w, "source", "text\n");
	fixture_load_parts(&w->f,
	                   "[" RUN("first", "") "," RUN(
				   "last", FROM("first") ",{'at':'j','from':{'$leaf':'source',"
							 "'path':'tetx'}}") "]",
	                   "");
	world_plan(w, "t/plain/last");
	assert_int_equal(world_run(w), -1);
	assert_int_equal(w->err.code, ERR_INPUT);
	assert_contains(w->err.cause, "demo.lua:2: t/plain/last takes \"tetx\" of source");
	assert_string_equal(w->err.hint, "did you mean \"text\"?");
	assert_false(world_ran(w, "t/plain/first"));
}

/* What another stage lacks fails the one that takes it, and nothing else. */
static void a_missing_output_fails_one_stage(void **state)
{
	struct world *w = *state;

	fixture_load_parts(
		&w->f,
		"[" RUN("c", "") "," RUN("b", "{'at':'i','from':{'$stage':'t/plain/c','path':'o/below'}}") "," RUN(
			"after", FROM("b")) "," RUN("other", FROM("c")) "]",
		"");
	world_plan(w, "t/plain/*");
	w->request.keep_going = true;
	assert_int_equal(world_run(w), -1);
	assert_int_equal(w->err.code, ERR_STAGE);
	assert_int_equal(world_state(w, "t/plain/b"), NODE_FAILED);
	assert_int_equal(world_state(w, "t/plain/after"), NODE_SKIPPED);
	assert_int_equal(world_state(w, "t/plain/other"), NODE_DONE);
}

static void clashing_inputs_name_the_stage(void **state)
{
	struct world *w = *state;

	world_leaf(w, "source", "text\n");
	fixture_load_parts(
		&w->f,
		"[" RUN("a", "{'at':'i/text','from':{'$stage':'t/plain/c','path':'o'}},"
	                     "{'at':'i','from':{'$leaf':'source','path':''}}") "," RUN("c", "") "]",
		"");
	world_plan(w, "t/plain/a");
	assert_int_equal(world_run(w), -1);
	assert_int_equal(w->err.code, ERR_INPUT);
	assert_contains(w->err.trail, "laying out the inputs of t/plain/a (demo.lua:2)");
}

/* ---- the tail of a log -------------------------------------------------------------------- */

struct tail_sink {
	struct event_sink sink;
	char *tail, *why;
	int exit_code;
};

static void keep_tail(struct event_sink *sink, const struct event *event)
{
	struct tail_sink *t = (struct tail_sink *)sink;

	if (event->kind != EVENT_FAILED)
		return;
	t->tail = str_dup(event->tail);
	t->why = str_dup(event->why);
	t->exit_code = event->exit_code;
}

static void a_failure_tells_the_end_of_its_log(void **state)
{
	struct world *w = *state;
	struct tail_sink t = { .sink = { keep_tail } };
	struct event_sink *sinks[] = { &t.sink, NULL };

	load_two_paths(w);
	w->request.plan = w->f.plan;
	w->request.sinks = sinks;
	assert_int_equal(engine_run(w->f.arena, &w->request, &w->result, &w->err), -1);
	/* The fake's log is empty, so what it printed is told. */
	assert_string_equal(t.tail, "ran t/plain/bad\n");
	assert_string_equal(t.why, "exit status 1");
	assert_int_equal(t.exit_code, 1);
	free(t.tail);
	free(t.why);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_failure_stops_what_is_new),
		TEST(keep_going_skips_dependants_only),
		TEST(the_first_failure_is_told),
		TEST(fail_fast_ends_the_others),
		TEST(a_failure_is_kept_for_its_log),
		TEST(a_cached_result_becomes_the_last),
		TEST(a_broken_machine_is_no_failed_stage),
		TEST(what_runs_beside_what_breaks_is_kept),
		TEST(more_than_one_breaks),
		TEST(what_cannot_be_started),
		TEST(interrupted_keeps_what_is_done),
		TEST(interrupted_before_anything_ran),
		TEST(twins_of_a_failure_are_skipped),
		TEST(late_twins_of_a_failure_are_skipped),
		TEST(interrupted_twins_are_skipped),
		TEST(misspelt_files_are_found_first),
		TEST(a_missing_output_fails_one_stage),
		TEST(missing_paths_name_stage_and_place),
		TEST(clashing_inputs_name_the_stage),
		TEST(a_failure_tells_the_end_of_its_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
