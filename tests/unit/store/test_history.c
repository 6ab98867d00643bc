/* What stood under an address before, where inputs came from, and stores of an older Kiln. */
#include "external/db.h"
#include "store/store_impl.h"
#include "unit/stored.h"

struct fixture {
	char *dir;
	struct store *store;
};

static int setup(void **state)
{
	struct fixture *f = alloc(sizeof(*f));

	f->dir = test_folder();
	f->store = test_store(f->dir, "store");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	store_close(f->store);
	test_folder_remove(f->dir);
	free(f);
	return 0;
}

static struct digest action_of(uint8_t first)
{
	return (struct digest){ { first } };
}

static void put(struct fixture *f, uint8_t first)
{
	const struct digest action = action_of(first);
	struct result result = { .wall_us = 1 };
	struct err err = ERR_INIT;

	must(store_put_result(f->store, &action, "a", &result, &err), &err);
}

/* The first byte of the action before the last one; -1: there is none. */
static int before(struct fixture *f)
{
	struct digest action;
	struct err err = ERR_INIT;
	int rc = store_action_before(f->store, "a", &action, &err);

	assert_true(rc >= 0);
	return rc == STORE_MISS ? -1 : action.bytes[0];
}

static void the_action_before_the_last_one(void **state)
{
	struct fixture *f = *state;
	const struct digest first = action_of(1);
	struct err err = ERR_INIT;

	assert_int_equal(before(f), -1);
	put(f, 1);
	assert_int_equal(before(f), -1);
	put(f, 1); /* the same once more is no other one */
	assert_int_equal(before(f), -1);
	put(f, 2);
	assert_int_equal(before(f), 1);
	put(f, 2);
	assert_int_equal(before(f), 1);
	assert_int_equal(store_note_action(f->store, "a", &first, 1, &err), STORE_NOTED);
	assert_int_equal(before(f), 2);
}

static void origins_belong_to_an_action_under_an_address(void **state)
{
	struct fixture *f = *state;
	const struct digest one = action_of(1), two = action_of(2);
	struct err err = ERR_INIT;
	char *body = NULL;

	must(store_put_origins(f->store, "a", &one, "first", &err), &err);
	must(store_put_origins(f->store, "a", &one, "again", &err), &err);
	must(store_put_origins(f->store, "a", &two, "second", &err), &err);
	must(store_get_origins(f->store, "a", &one, &body, &err), &err);
	assert_string_equal(body, "again");
	free(body);
	assert_int_equal(store_get_origins(f->store, "b", &one, &body, &err), STORE_MISS);
}

/* ---- an older store --------------------------------------------------------------------------- */

/* As the first version left it: without what came later, with a result in it. */
static void make_old(struct fixture *f)
{
	_cleanup_free_ char *path = str_fmt("%s/store/VERSION", f->dir);
	struct err err = ERR_INIT;

	put(f, 1);
	must(db_exec(f->store->db, "DROP TABLE origins; DROP TABLE before; DROP TABLE uses;", &err),
	     &err);
	must(db_set_version(f->store->db, 1, &err), &err);
	f->store = store_close(f->store);
	test_write(AT_FDCWD, path, "1\n", 0644);
}

static void an_older_store_gets_what_it_lacks(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *path = str_fmt("%s/store/VERSION", f->dir);
	struct digest last;
	struct err err = ERR_INIT;
	char *text;

	make_old(f);
	f->store = test_store(f->dir, "store");
	must(store_last_action(f->store, "a", &last, NULL, &err), &err);
	assert_int_equal(last.bytes[0], 1);
	put(f, 2);
	assert_int_equal(before(f), 1);
	text = test_read(AT_FDCWD, path);
	assert_string_equal(text, "3\n");
	free(text);
}

/* Whoever was stopped between the tables and the version left a store that opens all the same. */
static void a_store_whose_making_was_stopped(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *path = str_fmt("%s/store/VERSION", f->dir);
	char *text;

	put(f, 1);
	f->store = store_close(f->store);
	test_write(AT_FDCWD, path, "1\n", 0644);
	f->store = test_store(f->dir, "store");
	put(f, 2);
	assert_int_equal(before(f), 1);
	text = test_read(AT_FDCWD, path);
	assert_string_equal(text, "3\n");
	free(text);
}

/* An older Kiln that has the store open while a newer one opens it goes on with its own statements. */
static void an_older_process_goes_on(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	struct db *db;
	_cleanup_free_ char *path = str_fmt("%s/store/db.sqlite", f->dir);

	make_old(f);
	must(db_open(path, &db, &err), &err);
	f->store = test_store(f->dir, "store");
	must(db_exec(db,
	             "INSERT OR REPLACE INTO results VALUES(x'07', x'', '');"
	             "INSERT OR REPLACE INTO addresses VALUES('old', x'07', 5);",
	             &err),
	     &err);
	db_close(db);
}

static void write_down(void *data, const char *address, const struct digest *action,
                       int64_t wall_us, bool failed)
{
	buf_fmt(data, "%s %d %d%s\n", address, action->bytes[0], (int)wall_us,
	        failed ? " failed" : "");
}

static void the_last_of_all_addresses(void **state)
{
	static const char *const addresses[] = { "r:b", "r:a", "q:z",       "ra",
		                                 "s:a", "r:c", "r:\xc3\xa9" };
	struct fixture *f = *state;
	_cleanup_buf_ struct buf text = BUF_INIT(1000);
	struct result result = { .wall_us = 7 };
	struct err err = ERR_INIT;

	for (uint8_t i = 0; i < ARRAY_LEN(addresses); i++) {
		const struct digest action = action_of(i);

		must(store_put_result(f->store, &action, addresses[i], &result, &err), &err);
	}
	must(store_put_failure(f->store, "r:a", &(struct digest){ { 9 } }, &result, &err), &err);
	must(store_each_last(f->store, "r:", write_down, &text, &err), &err);
	assert_string_equal(buf_text(&text), "r:a 1 7 failed\nr:b 0 7\nr:c 5 7\nr:\xc3\xa9 6 7\n");
}

/* Look-ups are of one moment; what writes between them does, and is seen behind. */
static void looking_ends_where_something_is_written(void **state)
{
	struct fixture *f = *state;
	const struct digest action = action_of(3);
	struct store *other = test_store(f->dir, "store");
	struct arena *arena = arena_new();
	struct result result = { .wall_us = 1 };
	struct err err = ERR_INIT;

	must(store_look_begin(f->store, &err), &err);
	must(store_look_begin(f->store, &err), &err);
	assert_int_equal(store_get_result(f->store, arena, &action, &result, &err), STORE_MISS);
	must(store_put_result(other, &action, "a", &result, &err), &err);
	assert_int_equal(store_get_result(f->store, arena, &action, &result, &err), STORE_MISS);
	must(store_put_failure(f->store, "b", &action, &result, &err), &err);
	must(store_get_result(f->store, arena, &action, &result, &err), &err);
	store_look_end(f->store);
	store_close(other);
	arena_free(arena);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_action_before_the_last_one),
		TEST(origins_belong_to_an_action_under_an_address),
		TEST(an_older_store_gets_what_it_lacks),
		TEST(a_store_whose_making_was_stopped),
		TEST(an_older_process_goes_on),
		TEST(the_last_of_all_addresses),
		TEST(looking_ends_where_something_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
