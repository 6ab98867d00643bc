/* What is left, from what stages took and how they hang together. */
#include "fakes/fixture.h"

#include "engine/estimate.h"
#include "host/clock.h"

enum { SECOND = 1000000 };

#define RUN(name, ...)                                                                             \
	"{'address':'t/plain/" name "','target':'t','variant':'plain','name':'" name               \
	"','kind':'run','where':'d:1','options':{'argv':['a'],'outputs':['o']" __VA_ARGS__ "}}"
#define FROM(name) ",'inputs':[{'at':'" name "','from':{'$stage':'t/plain/" name "','path':'o'}}]"

/* a (10 s) → b (20 s) → c (30 s), and alone (5 s). */
struct work_left {
	struct fixture f;
	struct engine_node nodes[4];
	struct engine_stint stints[4];
	size_t critical;
};

static struct engine_node *node(struct work_left *w, const char *name)
{
	_cleanup_free_ char *address = str_fmt("t/plain/%s", name);

	return &w->nodes[fixture_node(&w->f, address)];
}

static void left_init(struct work_left *w)
{
	static const struct {
		const char *name;
		int seconds, rank;
	} given[] = { { "a", 10, 60 }, { "b", 20, 50 }, { "c", 30, 30 }, { "alone", 5, 5 } };

	*w = (struct work_left){ 0 };
	fixture_init(&w->f);
	fixture_load_parts(&w->f,
	                   "[" RUN("a", "") "," RUN("b", FROM("a")) "," RUN("c", FROM("b")) "," RUN(
				   "alone", "") "]",
	                   "");
	must(fixture_plan(&w->f,
	                  &(struct plan_request){ .until = (const char *const[]){ "**", NULL } }),
	     &w->f.err);
	assert_int_equal(w->f.plan->n_nodes, ARRAY_LEN(w->nodes));
	for (size_t i = 0; i < ARRAY_LEN(given); i++) {
		node(w, given[i].name)->estimate = (int64_t)given[i].seconds * SECOND;
		node(w, given[i].name)->rank = (int64_t)given[i].rank * SECOND;
	}
}

/* In whole seconds: the clock goes on while a test runs. */
static int64_t left(struct work_left *w, size_t slots)
{
	int64_t us = estimate_left(w->f.plan, w->nodes, slots, &w->critical);

	return us < 0 ? us : (us + SECOND / 2) / SECOND;
}

static void run_since(struct work_left *w, const char *name, int seconds)
{
	struct engine_node *n = node(w, name);

	n->state = NODE_RUNNING;
	n->stint = &w->stints[n - w->nodes];
	n->stint->started_us = clock_mono_us() - (int64_t)seconds * SECOND;
}

static void the_longest_path_or_all_the_work(void **state)
{
	struct work_left w;

	(void)state;
	left_init(&w);
	assert_int_equal(left(&w, 2), 60);
	assert_int_equal(left(&w, 1), 65);
	assert_int_equal(w.critical, SIZE_MAX);
	assert_int_equal(node(&w, "b")->left_us, 30 * SECOND);
	assert_int_equal(node(&w, "alone")->left_us, 5 * SECOND);
	fixture_deinit(&w.f);
}

static void what_ran_counts(void **state)
{
	struct work_left w;

	(void)state;
	left_init(&w);
	run_since(&w, "a", 4);
	run_since(&w, "alone", 1);
	assert_int_equal(left(&w, 2), 56);
	assert_int_equal(w.critical, (size_t)(node(&w, "a") - w.nodes));
	/* One that takes longer than ever ends at any moment: what is behind it is left. */
	run_since(&w, "a", 1000);
	assert_int_equal(left(&w, 2), 50);
	node(&w, "a")->state = NODE_DONE;
	run_since(&w, "b", 5);
	assert_int_equal(left(&w, 2), 45);
	assert_int_equal(w.critical, (size_t)(node(&w, "b") - w.nodes));
	for (size_t i = 0; i < ARRAY_LEN(w.nodes); i++)
		w.nodes[i].state = NODE_DONE;
	assert_int_equal(left(&w, 2), 0);
	fixture_deinit(&w.f);
}

/* Nothing is said of what never ran here, nor of what waits for it; but of the rest. */
static void a_guess_is_no_answer(void **state)
{
	struct work_left w;

	(void)state;
	left_init(&w);
	node(&w, "b")->guessed = true;
	assert_int_equal(left(&w, 2), -1);
	assert_int_equal(node(&w, "a")->left_us, 10 * SECOND);
	assert_int_equal(node(&w, "b")->left_us, -1);
	assert_int_equal(node(&w, "c")->left_us, -1);
	assert_int_equal(node(&w, "alone")->left_us, 5 * SECOND);
	node(&w, "a")->state = node(&w, "b")->state = NODE_DONE;
	assert_int_equal(left(&w, 2), 30);
	fixture_deinit(&w.f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_path_or_all_the_work),
		cmocka_unit_test(what_ran_counts),
		cmocka_unit_test(a_guess_is_no_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
