/* As long as what it promises is so: nothing of it where the store, a blob, its own bytes or the day is another. */
#include <sys/stat.h>
#include <sys/wait.h>

#include "unit/engine/a_ledger.h"

static struct store *open_beside(struct world *w)
{
	struct store *other;

	must(store_open(w->dir, &other, &w->err), &w->err);
	return other;
}

/* A run that starts no stage says it anew. */
static void assert_promised_again(struct world *w)
{
	open_again(w);
	assert_int_equal(ask(w).results, 0);
	run_with(w);
	assert_int_equal(w->fake.n_run, 0);
	open_again(w);
	assert_int_equal(ask(w).results, n_keyed(w));
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
	assert_promised_again(w);
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
	assert_promised_again(w);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(others_may_have_changed_the_store),
		TEST(a_run_beside_it_leaves_no_promise),
		TEST(a_change_within_a_run_is_seen),
		TEST(a_run_within_anothers_leaves_no_promise),
		TEST(a_killed_one_leaves_no_promise),
		TEST(lost_content_is_made_again),
		TEST(it_grows_old),
		TEST(a_flipped_bit_is_seen),
		TEST(half_of_it_is_no_harm),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	buf_deinit(&key);
	return failed;
}
