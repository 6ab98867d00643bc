/* Actions that another process runs at the same time: waited for, taken, or run after all. */
#include "fakes/world.h"

#include "base/str.h"
#include "external/db.h"

/* The world, and beside it another process's handle of its store. */
struct scene {
	struct world w;
	struct store *other;
	struct event_sink sink;
	struct digest action;
	bool gives; /* the other one records a result before it lets go */
	size_t waits;
	struct result result; /* what it gives */
};

/* What the other process does once it is waited for. */
static void on_event(struct event_sink *sink, const struct event *e)
{
	struct scene *s = (struct scene *)((char *)sink - offsetof(struct scene, sink));
	struct err err = ERR_INIT;

	if (e->kind != EVENT_WAIT)
		return;
	s->waits++;
	assert_true(digest_eq(&e->action, &s->action));
	if (s->gives)
		must(store_put_result(s->other, &s->action, "other", &s->result, &err), &err);
	store_release_claim(s->other, &s->action);
}

static int setup(void **state)
{
	struct scene *s = alloc(sizeof(*s));
	struct err err = ERR_INIT;

	world_init(&s->w);
	must(store_open(s->w.dir, &s->other, &err), &err);
	s->sink.event = on_event;
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;

	store_close(s->other); /* its claims go with it */
	world_deinit(&s->w);
	free(s);
	return 0;
}

/* The action of a stage of what is loaded, as a run of it alone finds it out, forgotten again. */
static void claim_loaded(struct scene *s, const char *address)
{
	struct err err = ERR_INIT;

	world_must_run(&s->w);
	s->action = world_node(&s->w, address)->action;
	s->result = *world_node(&s->w, address)->result;
	must(store_claim(s->other, &s->action, &err), &err);
}

static void claim(struct scene *s, const char *address)
{
	world_pipeline(&s->w);
	claim_loaded(s, address);
}

/* Runs the pipeline in a store that knows nothing of it, but for what the other process does. */
static int run(struct scene *s)
{
	struct event_sink *sinks[] = { &s->w.sink, &s->sink, NULL };
	struct world *w = &s->w;
	const char *constant = w->fake.constant;
	int rc;

	fake_executor_deinit(&w->fake);
	fake_executor_init(&w->fake, store_blobs(w->store));
	w->fake.constant = constant;
	w->request.plan = w->f.plan;
	w->request.sinks = sinks;
	rc = engine_run(w->f.arena, &w->request, &w->result, &w->err);
	return rc;
}

static void forget_results(struct scene *s)
{
	struct err err = ERR_INIT;
	char *path = str_fmt("%s/db.sqlite", s->w.dir);
	struct db *db;

	must(db_open(path, &db, &err), &err);
	must(db_exec(db, "DELETE FROM results", &err), &err);
	db_close(db);
	free(path);
}

static void what_another_process_makes_is_taken(void **state)
{
	struct scene *s = *state;

	claim(s, "t/plain/build");
	forget_results(s);
	s->gives = true;
	must(run(s), &s->w.err);
	assert_int_equal(s->waits, 1);
	assert_int_equal(world_state(&s->w, "t/plain/build"), NODE_CACHED);
	assert_false(world_ran(&s->w, "t/plain/build"));
	assert_int_equal(world_state(&s->w, "t/plain/hold"), NODE_DONE);
	assert_int_equal(s->w.result.n_cached, 1);
}

static void what_another_process_gave_up_is_run(void **state)
{
	struct scene *s = *state;

	claim(s, "t/plain/build");
	forget_results(s);
	must(run(s), &s->w.err);
	assert_int_equal(s->waits, 1);
	assert_int_equal(world_state(&s->w, "t/plain/build"), NODE_DONE);
	assert_int_equal(s->w.result.n_cached, 0);
}

#define RUN(name, command, options)                                                                \
	"{'address':'t/plain/" name "','target':'t','variant':'plain','name':'" name               \
	"','kind':'run','options':{'argv':['make','" command "'],'outputs':['o']" options "}}"

/* A place in a pool that was taken for a stage which another process then has is free for the next. */
static void a_pool_goes_on_beside_another_process(void **state)
{
	struct scene *s = *state;

	fixture_load_parts(
		&s->w.f,
		"[" RUN("a", "a", ",'pool':'one'") "," RUN("b", "b", ",'pool':'one'") "," RUN(
			"c", "c", ",'pool':'one'") "]",
		"'pools':{'one':1}");
	world_plan(&s->w, "t/plain/*");
	claim_loaded(s, "t/plain/b");
	forget_results(s);
	s->gives = true;
	must(run(s), &s->w.err);
	assert_int_equal(world_state(&s->w, "t/plain/b"), NODE_CACHED);
	assert_int_equal(world_state(&s->w, "t/plain/c"), NODE_DONE);
	assert_int_equal(s->w.fake.n_run, 2);
}

/* The same work under another name that is known only later: what the other process made is its too. */
static void a_late_twin_of_what_another_process_made(void **state)
{
	struct scene *s = *state;

	fixture_load_parts(
		&s->w.f,
		"[" RUN("x", "x", "") "," RUN("y", "y", ",'env':{'A':'1'}") "," RUN("a", "twin", ",'inputs':[{'at':'i','from':{'$stage':'t/plain/x','path':'o'}}]") "," RUN("z", "z", ",'inputs':[{'at':'i','from':{'$stage':'t/plain/y','path':'o'}},{'at':'j','from':{'$stage':'t/plain/a','path':'o'}}]") "," RUN(
			"b", "twin",
			",'inputs':[{'at':'i','from':{'$stage':'t/plain/w','path':'o'}}]") "," RUN("w",
	                                                                                           "w",
	                                                                                           ",'inputs':[{'at':'i','from':{'$stage':'t/plain/z','path':'o'}}]") "]",
		"");
	s->w.fake.constant = "t/plain/[xw]";
	world_plan(&s->w, "t/plain/*");
	claim_loaded(s, "t/plain/a");
	forget_results(s);
	s->gives = true;
	must(run(s), &s->w.err);
	assert_int_equal(world_state(&s->w, "t/plain/a"), NODE_CACHED);
	assert_int_equal(world_state(&s->w, "t/plain/b"), NODE_CACHED);
	assert_int_equal(s->waits, 1);
}

static bool is_claimed(struct scene *s)
{
	struct err err = ERR_INIT;
	int rc = store_claim(s->other, &s->action, &err);

	if (rc == 0)
		store_release_claim(s->other, &s->action);
	return rc == STORE_CLAIMED;
}

/* Whatever becomes of a run, nothing stays claimed. */
static void claims_end_with_the_run(void **state)
{
	struct scene *s = *state;

	claim(s, "t/plain/build");
	store_release_claim(s->other, &s->action);
	forget_results(s);
	must(run(s), &s->w.err);
	assert_false(is_claimed(s));
	forget_results(s);
	s->w.fake.fail = "t/plain/build";
	assert_int_equal(world_run(&s->w), -1);
	assert_false(is_claimed(s));
	s->w.fake.fail = NULL;
	s->w.fake.broken = "t/plain/build";
	assert_int_equal(world_run(&s->w), -1);
	assert_false(is_claimed(s));
}

/* A claim whose process is gone is free; so is the place of files that Kiln once made for them. */
static void claims_of_the_dead(void **state)
{
	struct scene *s = *state;
	const struct digest action = { { 9 } }, other = { { 100 } };
	int dir = test_open_dir(s->w.dir);
	struct err err = ERR_INIT;

	test_write(dir, "locks/action-00", "", 0600);
	must(store_claim(s->other, &action, &err), &err);
	must(store_sweep(s->w.store, &err), &err);
	assert_int_equal(faccessat(dir, "locks/action-00", F_OK, 0), -1);
	assert_int_equal(store_claim(s->w.store, &action, &err), STORE_CLAIMED);
	must(store_claim(s->w.store, &other, &err), &err);
	s->other = store_close(s->other); /* as the kernel does it */
	must(store_claim(s->w.store, &action, &err), &err);
	store_release_claim(s->w.store, &action);
	store_release_claim(s->w.store, &other);
	close(dir);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_another_process_makes_is_taken),
		TEST(what_another_process_gave_up_is_run),
		TEST(a_pool_goes_on_beside_another_process),
		TEST(a_late_twin_of_what_another_process_made),
		TEST(claims_end_with_the_run),
		TEST(claims_of_the_dead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
