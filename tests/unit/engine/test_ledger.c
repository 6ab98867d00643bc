/*
 * What the last run found out: it says the same as doing the work again, and nothing where what a key is made
 * of, the store, or a blob is another.
 */
#include "fakes/world.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include "base/str.h"
#include "engine/inputs.h"
#include "snapshot/kept.h"
#include "store/place.h"

#define RUN(name, options)                                                                         \
	"{'address':'t/plain/" name "','target':'t','variant':'plain','name':'" name               \
	"','kind':'run','where':'demo.lua:2','options':{'argv':['make','" name                     \
	"'],'outputs':['o']" options "}}"
#define FROM(name) "{'at':'" name "','from':{'$stage':'t/plain/" name "','path':'o'}}"
#define TAKES(...) ",'inputs':[" __VA_ARGS__ "]"

static struct buf key = BUF_INIT(100);

/* A run that has a ledger, which it leaves for the next one. */
static void run_with(struct world *w)
{
	w->request.ledger = ledger_new(w->store, &key);
	world_must_run(w);
	w->request.ledger = ledger_free(w->request.ledger);
}

/* How many wanted nodes a ledger gives a key and a result for, as they are now. */
struct known {
	size_t keys, results;
	bool all, holds;
};

static struct known ask(struct world *w)
{
	struct ledger *ledger = ledger_new(w->store, &key);
	struct engine_node *nodes = arena_array(w->f.arena, w->f.plan->n_nodes, sizeof(*nodes));
	struct known known = { 0 };

	known.holds = ledger_holds(ledger);
	ledger_begin(ledger, w->f.plan, nodes);
	known.all = ledger_knows_all(ledger);
	for (size_t i = 0; i < w->f.plan->n_wanted; i++) {
		size_t at = w->f.plan->order[i];
		const struct plan_node *node = &w->f.plan->nodes[at];
		struct placement *p = arena_array(w->f.arena, node->n_inputs + 1, sizeof(*p));
		const struct result *result = NULL;
		struct blob_ref action, made;

		for (size_t k = 0; k < node->n_inputs; k++)
			must(inputs_find(store_blobs(w->store), w->f.arena, w->f.plan, &w->f.facts,
			                 w->result.nodes, node, k, &p[k], &w->err),
			     &w->err);
		if (!ledger_key(ledger, at, p, &action))
			continue;
		known.keys++;
		must(inputs_key(store_blobs(w->store), w->f.plan, &w->f.facts, w->result.nodes, at,
		                NULL, &made, &w->err),
		     &w->err);
		assert_true(digest_eq(&action.digest, &made.digest) && action.size == made.size);
		if (ledger_result(ledger, at, w->f.arena, &result, &w->err) != 0)
			continue;
		known.results++;
		assert_int_equal(result->n_outputs, w->result.nodes[at].result->n_outputs);
		for (size_t o = 0; o < result->n_outputs; o++) {
			const struct result_output *a = &result->outputs[o];
			const struct result_output *b = &w->result.nodes[at].result->outputs[o];

			assert_string_equal(a->path, b->path);
			assert_int_equal(a->node->kind, b->node->kind);
			assert_int_equal(a->node->executable, b->node->executable);
			assert_memory_equal(&a->node->ref, &b->node->ref, sizeof(a->node->ref));
		}
		assert_int_equal(result->wall_us, w->result.nodes[at].result->wall_us);
		assert_memory_equal(&result->log, &w->result.nodes[at].result->log,
		                    sizeof(result->log));
		assert_memory_equal(&result->out, &w->result.nodes[at].result->out,
		                    sizeof(result->out));
	}
	ledger_free(ledger);
	return known;
}

static size_t n_keyed(const struct world *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->f.plan->n_wanted; i++)
		n += !w->f.plan->nodes[w->f.plan->order[i]].pinned;
	return n;
}

/* ---- the same ------------------------------------------------------------------------------- */

static void what_was_run_is_known(void **state)
{
	struct world *w = *state;
	struct known known;

	world_pipeline(w);
	run_with(w);
	known = ask(w);
	assert_int_equal(known.keys, n_keyed(w));
	assert_int_equal(known.results, n_keyed(w));
	assert_true(known.all);
	for (int i = 0; i < 2; i++) {
		run_with(w);
		assert_int_equal(w->fake.n_run, 0);
		assert_int_equal(w->result.n_cached, w->f.plan->n_wanted);
		fixture_must_plan(&w->f);
	}
}

/* The store is opened anew, as each run does. */
static void open_again(struct world *w)
{
	w->store = store_close(w->store);
	must(store_open(w->dir, &w->store, &w->err), &w->err);
	w->request.store = w->store;
	w->fake.blobs = store_blobs(w->store);
}

static void another_process_knows_it_too(void **state)
{
	struct world *w = *state;

	world_pipeline(w);
	run_with(w);
	open_again(w);
	assert_true(ask(w).all);
	assert_true(ask(w).holds);
	assert_int_equal(ask(w).results, n_keyed(w));
}

static void change(struct store *store, const char *what)
{
	struct err err = ERR_INIT;

	must(store_put_fact(store, "test", what, "{}", &err), &err);
}

static void an_edit_runs_what_it_changes(void **state)
{
	struct world *w = *state;
	struct known known;

	world_pipeline(w);
	run_with(w);
	open_again(w);
	world_leaf(w, "work", "other words\n");
	fixture_must_plan(&w->f);
	known = ask(w);
	assert_true(known.all); /* what was */
	assert_true(known.keys > 0 && known.keys < n_keyed(w));
	run_with(w);
	assert_int_equal(world_state(w, "t/plain/build"), NODE_CACHED);
	assert_true(world_ran(w, "t/shared/train"));
	assert_int_equal(w->result.n_cached, 3);
	assert_int_equal(ask(w).results, n_keyed(w));
	open_again(w);
	assert_int_equal(ask(w).results, n_keyed(w));
	run_with(w);
	assert_int_equal(w->fake.n_run, 0);
}

/* ---- what a run changed lies beside the rest ------------------------------------------------ */

/* Eight stages, the last of which makes what it is told. */
static void load_eight(struct world *w, const char *what)
{
	_cleanup_free_ char *stages = str_fmt(
		"[" RUN("a", "") "," RUN("b", "") "," RUN("c", "") "," RUN("d", "") "," RUN(
			"e", "") "," RUN("f", "") "," RUN("g", "") "," RUN("h",
	                                                                   ",'env':{'W':'%s'}") "]",
		what);

	fixture_load_parts(&w->f, stages, "");
	world_plan(w, "t/plain/*");
}

static void edit_and_run(struct world *w, const char *what, size_t n_run)
{
	open_again(w);
	load_eight(w, what);
	run_with(w);
	assert_int_equal(w->fake.n_run, n_run);
	open_again(w);
}

static char *path_of(const struct world *w, const char *suffix)
{
	char name[64];

	kept_name(&key, suffix, name);
	return str_fmt("%s/%s", w->dir, name);
}

static ino_t inode_of(const struct world *w, const char *suffix)
{
	_cleanup_free_ char *path = path_of(w, suffix);
	struct stat st;

	return stat(path, &st) == 0 ? st.st_ino : 0;
}

static void an_edit_writes_what_it_changed(void **state)
{
	struct world *w = *state;
	ino_t whole, first;

	edit_and_run(w, "one", 8);
	whole = inode_of(w, ".ledger");
	assert_int_equal(inode_of(w, ".ledger-changes"), 0);
	edit_and_run(w, "two", 1);
	first = inode_of(w, ".ledger-changes");
	assert_true(whole != 0 && first != 0);
	assert_int_equal(inode_of(w, ".ledger"), whole);
	assert_true(ask(w).all);
	assert_int_equal(ask(w).results, 8);
	/* Of the same whole again; what was changed before is known, too. */
	edit_and_run(w, "three", 1);
	assert_int_equal(inode_of(w, ".ledger"), whole);
	assert_int_equal(ask(w).results, 8);
	edit_and_run(w, "one", 0);
	assert_int_equal(inode_of(w, ".ledger"), whole);
	assert_int_equal(ask(w).results, 8);
	edit_and_run(w, "one", 0);
	assert_int_equal(ask(w).results, 8);
}

/* Many: three of eight. Stages that are gone: nothing says that their results still hold. */
static void what_changed_much_is_written_whole(void **state)
{
	struct world *w = *state;
	ino_t whole;

	edit_and_run(w, "one", 8);
	edit_and_run(w, "two", 1);
	assert_true(inode_of(w, ".ledger-changes") != 0);
	world_plan(w, "t/plain/[a-g]");
	run_with(w);
	open_again(w);
	assert_true(inode_of(w, ".ledger-changes") != 0); /* nothing was changed */
	world_lose_output(w, "t/plain/a");
	world_lose_output(w, "t/plain/b");
	world_lose_output(w, "t/plain/c");
	edit_and_run(w, "two", 3);
	assert_int_equal(inode_of(w, ".ledger-changes"), 0);
	assert_true(inode_of(w, ".ledger") != 0);
	assert_int_equal(ask(w).results, 8);

	edit_and_run(w, "three", 1);
	assert_true(inode_of(w, ".ledger-changes") != 0);
	whole = inode_of(w, ".ledger");
	open_again(w);
	load_eight(w, "three");
	world_plan(w, "t/plain/[b-h]");
	world_lose_output(w, "t/plain/b");
	run_with(w);
	assert_int_equal(w->fake.n_run, 1);
	open_again(w);
	assert_int_equal(inode_of(w, ".ledger-changes"), 0);
	assert_true(inode_of(w, ".ledger") != whole);
	assert_int_equal(ask(w).results, 7);
}

/* Changes without the whole that they change, or that whole without them, promise nothing. */
static void parts_of_two_ledgers_promise_nothing(void **state)
{
	struct world *w = *state;
	_cleanup_free_ char *whole = path_of(w, ".ledger");
	_cleanup_free_ char *changes = path_of(w, ".ledger-changes");
	_cleanup_free_ char *aside = path_of(w, ".aside");

	edit_and_run(w, "one", 8);
	edit_and_run(w, "two", 1);
	assert_int_equal(rename(changes, aside), 0);
	assert_false(ask(w).all);
	assert_int_equal(ask(w).results, 0);
	assert_int_equal(ask(w).keys, 7);
	edit_and_run(w, "two", 0); /* it holds no more, so it is written anew */
	assert_int_equal(ask(w).results, 8);
	assert_int_equal(rename(aside, changes), 0);
	assert_int_equal(ask(w).results, 8);
	edit_and_run(w, "three", 1);
	assert_int_equal(ask(w).results, 8);
	assert_int_equal(unlink(whole), 0);
	assert_int_equal(ask(w).keys, 0);
	edit_and_run(w, "three", 0);
	assert_int_equal(ask(w).results, 8);
}

/* ---- the store is another ------------------------------------------------------------------- */

static struct store *open_beside(struct world *w)
{
	struct store *other;

	must(store_open(w->dir, &other, &w->err), &w->err);
	return other;
}

static void others_may_have_changed_the_store(void **state)
{
	struct world *w = *state;
	struct store *other;
	struct known known;

	world_pipeline(w);
	run_with(w);
	open_again(w);
	other = open_beside(w);
	change(other, "name");
	store_close(other);
	known = ask(w);
	assert_false(known.all);
	assert_false(known.holds);
	assert_int_equal(known.results, 0);
	assert_int_equal(known.keys, n_keyed(w)); /* keys are the same in every store */
	open_again(w);
	assert_int_equal(ask(w).results, 0);
	run_with(w);
	assert_int_equal(w->fake.n_run, 0);
	open_again(w);
	assert_int_equal(ask(w).results, n_keyed(w));
}

/* Two runs at once: whoever ends last does not know what the other one did. */
static void a_run_beside_it_leaves_no_promise(void **state)
{
	struct world *w = *state;
	struct store *other;

	world_pipeline(w);
	other = open_beside(w);
	run_with(w);
	change(other, "name");
	open_again(w);
	assert_int_equal(ask(w).results, 0);
	store_close(other);
	open_again(w);
	assert_int_equal(ask(w).results, 0);
}

/* … also where the other one has gone before it ends. */
static void a_change_within_a_run_is_seen(void **state)
{
	struct world *w = *state;
	struct store *other = open_beside(w);
	char generation[SNAPSHOT_GENERATION + 1];

	change(w->store, "own");
	assert_true(store_generation(w->store, generation));
	change(other, "name");
	store_close(other);
	assert_false(store_generation(w->store, generation));
}

/* A process that changes the store for long: whoever comes and goes meanwhile keeps nothing. */
static void a_run_within_anothers_leaves_no_promise(void **state)
{
	struct world *w = *state;
	struct store *other;

	world_pipeline(w);
	run_with(w);
	open_again(w);
	other = open_beside(w);
	change(other, "one");
	open_again(w);
	run_with(w);
	assert_int_equal(w->fake.n_run, 0);
	change(other, "two");
	open_again(w);
	assert_int_equal(ask(w).results, 0);
	store_close(other);
	open_again(w);
	assert_int_equal(ask(w).results, 0);
	run_with(w);
	open_again(w);
	assert_int_equal(ask(w).results, n_keyed(w));
}

/* … even where it is killed: the next one finds no generation, and gives it a new one. */
static void a_killed_one_leaves_no_promise(void **state)
{
	struct world *w = *state;
	pid_t pid;
	int status;

	world_pipeline(w);
	run_with(w);
	open_again(w);
	assert_int_equal(ask(w).results, n_keyed(w));
	pid = fork();
	if (pid == 0) {
		struct store *other;
		struct err err = ERR_INIT;

		if (store_open(w->dir, &other, &err) == 0)
			store_put_fact(other, "test", "one", "{}", &err);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	open_again(w);
	assert_int_equal(ask(w).results, 0);
	run_with(w);
	assert_int_equal(w->fake.n_run, 0);
	open_again(w);
	assert_int_equal(ask(w).results, n_keyed(w));
}

static void lost_content_is_made_again(void **state)
{
	struct world *w = *state;

	world_pipeline(w);
	world_plan(w, "t/plain/hold");
	run_with(w);
	world_lose_output(w, "t/plain/build");
	run_with(w);
	assert_int_equal(w->fake.n_run, 1);
	assert_string_equal(w->fake.ran[0], "t/plain/build");
	assert_int_equal(world_state(w, "t/plain/hold"), NODE_CACHED);
}

/* The same file as of another time. */
static void set_time(struct world *w, int64_t time)
{
	char name[64], generation[SNAPSHOT_GENERATION];
	struct kept kept;
	struct kept_writer *writer;
	int64_t was;
	size_t n;

	kept_name(&key, ".ledger", name);
	assert_true(kept_open(store_folder(w->store), name, "kilnldg1", &key, &kept));
	kept_take_into(&kept, generation, sizeof(generation));
	kept_take_into(&kept, &was, sizeof(was));
	writer = kept_new(store_folder(w->store), "kilnldg1", &key);
	kept_put(writer, generation, sizeof(generation));
	kept_put(writer, &time, sizeof(time));
	n = kept.n - kept.at;
	kept_put(writer, kept_take(&kept, n), n);
	kept_keep(writer, name);
	kept_free(writer);
	kept_close(&kept);
}

/* Results that are used are looked up once a day, for a collection to know. */
static void it_grows_old(void **state)
{
	static const int64_t times[] = { 0, INT64_MAX };
	struct world *w = *state;

	world_pipeline(w);
	run_with(w);
	assert_int_equal(ask(w).results, n_keyed(w));
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		set_time(w, times[i]);
		assert_int_equal(ask(w).results, 0);
		assert_int_equal(ask(w).keys, n_keyed(w));
	}
}

/* With each of some bits of a file flipped, so many keys and no result are known. */
static void flip_bits(struct world *w, const char *path, size_t n_keys)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	for (off_t at = 1; at < st.st_size; at += 101) {
		int fd = open(path, O_RDWR | O_CLOEXEC);
		char byte;

		assert_int_equal(pread(fd, &byte, 1, at), 1);
		byte ^= 4;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
		assert_int_equal(ask(w).keys, n_keys);
		assert_int_equal(ask(w).results, 0);
		byte ^= 4;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
		close(fd);
	}
	assert_int_equal(ask(w).results, n_keyed(w));
}

/* What the disk made of a file is no ledger. */
static void a_flipped_bit_is_seen(void **state)
{
	struct world *w = *state;
	_cleanup_free_ char *whole = path_of(w, ".ledger");
	_cleanup_free_ char *changes = path_of(w, ".ledger-changes");

	edit_and_run(w, "one", 8);
	edit_and_run(w, "two", 1);
	flip_bits(w, whole, 0);
	flip_bits(w, changes, 7);
}

static void half_of_it_is_no_harm(void **state)
{
	struct world *w = *state;
	_cleanup_free_ char *path = path_of(w, ".ledger");
	struct stat st;

	world_pipeline(w);
	run_with(w);
	assert_int_equal(stat(path, &st), 0);
	for (off_t n = st.st_size - 1; n > 0; n -= n > 600 ? 97 : 1) {
		assert_int_equal(truncate(path, n), 0);
		assert_false(ask(w).all);
	}
	run_with(w);
	assert_int_equal(w->fake.n_run, 0);
	assert_true(ask(w).all);
}

/* A stage that stands elsewhere in the recipe, or under another name, is another one. */
static void records_are_found_by_address(void **state)
{
	struct world *w = *state;

	fixture_load_parts(&w->f, "[" RUN("a", "") "," RUN("b", TAKES(FROM("a"))) "]", "");
	world_plan(w, "t/plain/*");
	run_with(w);
	fixture_load_parts(
		&w->f, "[" RUN("new", "") "," RUN("a", "") "," RUN("b", TAKES(FROM("a"))) "]", "");
	world_plan(w, "t/plain/*");
	run_with(w);
	assert_int_equal(w->fake.n_run, 1);
	assert_string_equal(w->fake.ran[0], "t/plain/new");
	assert_int_equal(ask(w).results, 3);
}

static int setup(void **state)
{
	if (!key.n)
		buf_add_str(&key, "key");
	return world_setup(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_run_is_known),
		TEST(another_process_knows_it_too),
		TEST(an_edit_runs_what_it_changes),
		TEST(an_edit_writes_what_it_changed),
		TEST(what_changed_much_is_written_whole),
		TEST(parts_of_two_ledgers_promise_nothing),
		TEST(others_may_have_changed_the_store),
		TEST(a_run_beside_it_leaves_no_promise),
		TEST(a_change_within_a_run_is_seen),
		TEST(a_run_within_anothers_leaves_no_promise),
		TEST(a_killed_one_leaves_no_promise),
		TEST(a_flipped_bit_is_seen),
		TEST(lost_content_is_made_again),
		TEST(it_grows_old),
		TEST(half_of_it_is_no_harm),
		TEST(records_are_found_by_address),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	buf_deinit(&key);
	return failed;
}
