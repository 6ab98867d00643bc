/* What starts when: the heap, pools, the job server's tokens, other kilns, and what is run again. */
#include "fakes/world.h"

#include "base/path.h"
#include "base/str.h"
#include "engine/ready.h"

#define RUN(name, options)                                                                         \
	"{'address':'t/plain/" name "','target':'t','variant':'plain','name':'" name               \
	"','kind':'run','where':'demo.lua:2','options':{'argv':['make','" name                     \
	"'],'outputs':['o']" options "}}"

/* ---- the heap ------------------------------------------------------------------------------- */

/* Against sorting, over many orders of coming and going. */
static void highest_rank_first(void **state)
{
	enum { N = 500 };
	struct arena *arena = arena_new();
	struct engine_node *nodes = arena_array(arena, N, sizeof(*nodes));
	struct ready ready;
	unsigned int seed = 7;
	size_t at, before;

	(void)state;
	ready_init(&ready, arena, nodes, N);
	assert_false(ready_first(&ready, &at));
	for (size_t i = 0; i < N; i++)
		nodes[i].rank = rand_r(&seed) % 50;
	for (size_t i = 0; i < N; i++)
		ready_add(&ready, (i * 7) % N);
	assert_true(ready_first(&ready, &before));
	for (size_t left = N; left > 0; left--) {
		assert_true(ready_first(&ready, &at));
		assert_true(nodes[at].rank < nodes[before].rank ||
		            (nodes[at].rank == nodes[before].rank && at >= before));
		before = at;
		ready_drop_first(&ready);
	}
	assert_false(ready_first(&ready, &at));
	arena_free(arena);
}

/* ---- pools ---------------------------------------------------------------------------------- */

#define POOL(n) ",'pool':'" n "'"

static void pools_are_kept_to(void **state)
{
	struct world *w = *state;
	size_t most = 0;

	fixture_load_parts(
		&w->f,
		"[" RUN("l1", POOL("link")) "," RUN("l2", POOL("link")) "," RUN(
			"l3", POOL("link")) "," RUN("l4", POOL("link")) "," RUN("free",
	                                                                        "") "," RUN("f2",
	                                                                                    "") "]",
		"'pools':{'link':2,'other':1}");
	world_plan(w, "t/plain/*");
	w->request.jobs = 16;
	world_must_run(w);
	assert_int_equal(w->fake.n_run, 6);
	for (size_t i = 0; i < w->fake.n_run; i++) {
		const char *at = w->fake.starts[i].beside;
		size_t n = str_starts(w->fake.ran[i], "t/plain/l");

		while ((at = strstr(at, "plain/l")))
			n++, at++;
		most = n > most ? n : most;
		assert_true(n <= 2);
	}
	assert_int_equal(most, 2);
	/* Who is in no pool overtook them. */
	assert_true(world_ran_at(w, "t/plain/free") < world_ran_at(w, "t/plain/l4"));
}

static void pools_that_are_not_there(void **state)
{
	struct world *w = *state;
	const struct plan_request request = { .recipe = &w->f.recipe, .facts = &w->f.facts };

	fixture_load_parts(&w->f, "[" RUN("a", POOL("lnik")) "]", "'pools':{'link':2}");
	assert_int_equal(fixture_plan(&w->f, &request), -1);
	assert_int_equal(w->f.err.code, ERR_INPUT);
	assert_contains(w->f.err.cause, "demo.lua:2: t/plain/a runs in the pool \"lnik\"");
	assert_contains(w->f.err.hint, "did you mean \"link\"?");
	err_clear(&w->f.err);
	fixture_load_parts(&w->f, "[" RUN("a", POOL("x")) "]", "");
	assert_int_equal(fixture_plan(&w->f, &request), -1);
	assert_contains(w->f.err.hint, "pools = { x = 1 }");
}

/* ---- tokens --------------------------------------------------------------------------------- */

static enum jobserver_style fifo(void *data, const struct digest *image)
{
	(void)data;
	(void)image;
	return JOBSERVER_FIFO;
}

/* A client in the place of the stage "eats": takes all tokens when it is told of, and gives them back
 * when "small" has been waiting for a while. */
struct eater {
	struct event_sink sink;
	struct world *w;
	int fd;
	int had;
	size_t ticks, running_most;
};

static void on_eater(struct event_sink *sink, const struct event *e)
{
	struct eater *eater = (struct eater *)sink;
	char c;

	eater->running_most =
		e->n_running > eater->running_most ? e->n_running : eater->running_most;
	if (e->kind == EVENT_START && str_eq(e->node->stage->address, "t/plain/eats")) {
		const struct fake_start *start = &eater->w->fake.starts[eater->w->fake.n_run - 1];
		_cleanup_free_ char *path = path_join(start->request.jobs_dir, JOBSERVER_FILE);

		assert_int_equal(start->request.jobs_style, JOBSERVER_FIFO);
		eater->fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
		assert_true(eater->fd >= 0);
		return;
	}
	if (e->kind != EVENT_TICK)
		return;
	while (read(eater->fd, &c, 1) == 1)
		eater->had++;
	if (++eater->ticks == 3) { /* all that it had, and one that it had not */
		for (int i = 0; i <= eater->had; i++)
			assert_int_equal(write(eater->fd, "+", 1), 1);
		eater->w->fake.hold = NULL;
		assert_int_equal(write(eater->w->fake.event_fd, &(uint64_t){ 1 }, 8), 8);
	}
}

static void tokens_are_lent_and_counted(void **state)
{
	struct world *w = *state;
	struct eater eater = { .sink = { on_eater }, .w = w, .fd = -1 };

	fixture_load_parts(&w->f, "[" RUN("eats", "") "]", "");
	world_plan(w, "t/plain/*");
	w->request.jobs = 4;
	w->request.jobs_style = fifo;
	w->fake.hold = "t/plain/eats";
	must(jobserver_new(store_dir(w->store), &w->request.jobserver, &w->err), &w->err);
	w->beside = &eater.sink;
	world_must_run(w);
	assert_int_equal(eater.had, 3); /* one of the four is the stage's own */
	assert_int_equal(world_node(w, "t/plain/eats")->stint->most_tokens, 3);
	assert_int_equal(world_node(w, "t/plain/eats")->stint->tokens, 0);
	assert_contains(buf_text(&w->events), "note t/plain/eats\n");
	w->request.jobserver = jobserver_free(w->request.jobserver);
	close(eater.fd);
}

/* Who measures and who is Kiln's own code gets none. */
static void some_have_no_tokens(void **state)
{
	struct world *w = *state;

	fixture_load_parts(&w->f, "[" RUN("alone", ",'exclusive':true") "]", "");
	world_plan(w, "t/plain/*");
	w->request.jobs = 4;
	w->request.jobs_style = fifo;
	must(jobserver_new(store_dir(w->store), &w->request.jobserver, &w->err), &w->err);
	world_must_run(w);
	assert_int_equal(w->fake.starts[0].request.jobs_style, JOBSERVER_NONE);
	w->request.jobserver = jobserver_free(w->request.jobserver);
}

/* ---- other kilns ---------------------------------------------------------------------------- */

/* Another kiln measures until it has been waited for. */
struct other {
	struct event_sink sink;
	struct alone alone;
	size_t waits, ticks;
};

static void on_other(struct event_sink *sink, const struct event *e)
{
	struct other *other = (struct other *)sink;

	if (e->kind == EVENT_WAIT) {
		other->waits++;
		assert_non_null(e->why);
	}
	if (e->kind == EVENT_TICK && ++other->ticks == 2)
		alone_leave(&other->alone);
	if (e->kind == EVENT_START)
		assert_true(other->ticks >= 2);
}

static void run_beside(struct world *w, const char *options, bool other_measures)
{
	struct other other = { .sink = { on_other } };
	struct alone ours;

	w->f.facts.epoch++; /* other work each time */
	fixture_load_parts(&w->f, options, "");
	world_plan(w, "t/plain/*");
	must(alone_open(&ours, w->dir, &w->err), &w->err);
	must(alone_open(&other.alone, w->dir, &w->err), &w->err);
	if (other_measures)
		must(alone_take(&other.alone, &w->err), &w->err);
	else
		must(alone_share(&other.alone, &w->err), &w->err);
	w->request.alone = &ours;
	w->beside = &other.sink;
	world_must_run(w);
	assert_int_equal(w->fake.n_run, 1);
	assert_int_equal(other.waits, 1);                 /* told once */
	must(alone_take(&other.alone, &w->err), &w->err); /* nothing is held behind */
	alone_deinit(&ours);
	alone_deinit(&other.alone);
	w->request.alone = NULL;
	w->beside = NULL;
}

static void other_kilns_are_waited_for(void **state)
{
	run_beside(*state, "[" RUN("a", "") "]", true);
	run_beside(*state, "[" RUN("a", ",'exclusive':true") "]", true);
	run_beside(*state, "[" RUN("a", ",'exclusive':true") "]", false);
}

/* ---- once more ------------------------------------------------------------------------------ */

static void causes_outside_are_tried_again(void **state)
{
	struct world *w = *state;

	fixture_load_parts(&w->f, "[" RUN("a", ",'retries':1") "," RUN("b", "") "]", "");
	world_plan(w, "t/plain/*");
	w->fake.broken = "t/plain/a";
	w->fake.luck = 1;
	world_must_run(w);
	assert_int_equal(fake_executor_count(&w->fake, "t/plain/a"), 2);
	assert_contains(buf_text(&w->events), "again t/plain/a\n");
	assert_int_equal(w->result.n_run, 2);
}

static void only_so_often(void **state)
{
	struct world *w = *state;

	fixture_load_parts(&w->f, "[" RUN("a", ",'retries':1") "]", "");
	world_plan(w, "t/plain/*");
	w->fake.killed = "t/plain/a";
	assert_int_equal(world_run(w), -1);
	assert_int_equal(w->err.code, ERR_STAGE);
	assert_int_equal(fake_executor_count(&w->fake, "t/plain/a"), 2);
}

static void a_stage_that_fails_is_not(void **state)
{
	struct world *w = *state;

	fixture_load_parts(&w->f, "[" RUN("a", ",'retries':5") "]", "");
	world_plan(w, "t/plain/*");
	w->fake.fail = "t/plain/a";
	assert_int_equal(world_run(w), -1);
	assert_int_equal(fake_executor_count(&w->fake, "t/plain/a"), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(highest_rank_first),
		TEST(pools_are_kept_to),
		TEST(pools_that_are_not_there),
		TEST(tokens_are_lent_and_counted),
		TEST(some_have_no_tokens),
		TEST(other_kilns_are_waited_for),
		TEST(causes_outside_are_tried_again),
		TEST(only_so_often),
		TEST(a_stage_that_fails_is_not),
	};

	return cmocka_run_group_tests_name("engine/schedule", tests, NULL, NULL);
}
