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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_action_before_the_last_one),
		TEST(origins_belong_to_an_action_under_an_address),
		TEST(an_older_store_gets_what_it_lacks),
		TEST(a_store_whose_making_was_stopped),
		TEST(an_older_process_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
