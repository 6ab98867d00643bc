/*
 * What the last run found out: it says the same as doing the work again, and nothing where what a key is made
 * of is another (test_ledger_holds.c: the store, a blob, its own bytes).
 */
#include <sys/stat.h>

#include "unit/engine/a_ledger.h"

#define FROM(name) "{'at':'" name "','from':{'$stage':'t/plain/" name "','path':'o'}}"
#define TAKES(...) ",'inputs':[" __VA_ARGS__ "]"

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
		TEST(records_are_found_by_address),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	buf_deinit(&key);
	return failed;
}
