/* The stat cache: it may skip reading a file, and never decides what is in it. */
#include "external/crypto.h"
#include "store/folder.h"
#include "store/gc.h"
#include "store/store.h"
#include "store/store_impl.h"
#include "unit/stored.h"

struct fixture {
	char *dir; /* of the test; the store is below it */
	int fd;    /* dir */
	struct store *store;
	struct arena *arena;
};

static int setup(void **state)
{
	struct fixture *f = alloc(sizeof(*f));

	f->dir = test_folder();
	f->fd = test_open_dir(f->dir);
	f->arena = arena_new();
	f->store = test_store(f->dir, "store");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	store_close(f->store);
	arena_free(f->arena);
	close(f->fd);
	test_folder_remove(f->dir);
	free(f);
	return 0;
}

static void put_text(struct store *store, const char *text, struct blob_ref *ret)
{
	struct err err = ERR_INIT;

	must(blobs_put(store_blobs(store), text, strlen(text), ret, &err), &err);
}

static void remove_blob(const struct fixture *f, const struct blob_ref *ref)
{
	char hex[DIGEST_HEX_SIZE];
	char *path;

	digest_hex(&ref->digest, hex);
	path = str_fmt("store/blobs/%.2s/%s", hex, hex + 2);
	assert_int_equal(unlinkat(f->fd, path, 0), 0);
	free(path);
}

static struct tree_node take(struct fixture *f, const char *name)
{
	const struct ingest_options plain = { 0 };
	char *path = str_fmt("%s/%s", f->dir, name);
	struct tree_node node = { 0 };
	struct err err = ERR_INIT;

	must(ingest_folder(f->store, f->arena, path, &plain, &node, &err), &err);
	free(path);
	return node;
}

static int64_t count_stamps(const struct fixture *f)
{
	struct db_stmt *stmt;
	struct err err = ERR_INIT;
	int64_t n;

	must(db_prepare(f->store->db, "SELECT count(*) FROM stamps", &stmt, &err), &err);
	assert_int_equal(db_step(stmt, &err), DB_ROW);
	n = db_int(stmt, 0);
	db_stmt_free(stmt);
	return n;
}

/* Lets the store believe that every file has what `text` names. */
static void plant(const struct fixture *f, const struct blob_ref *ref)
{
	struct db_stmt *stmt;
	struct err err = ERR_INIT;

	must(db_prepare(f->store->db, "UPDATE stamps SET digest=?1", &stmt, &err), &err);
	db_bind_bytes(stmt, 1, &ref->digest, sizeof(ref->digest));
	must(db_run(stmt, &err), &err);
	db_stmt_free(stmt);
}

static void assert_content(const struct fixture *f, const struct tree_node *root, const char *text)
{
	struct tree_node node;
	struct digest digest;
	struct err err = ERR_INIT;

	digest_of(text, strlen(text), &digest);
	must(place_find(store_blobs(f->store), f->arena, &root->ref, "file", &node, &err), &err);
	assert_true(digest_eq(&node.ref.digest, &digest));
}

static void files_just_written_are_always_read(void **state)
{
	struct fixture *f = *state;
	struct tree_node root;

	test_write(f->fd, "src/file", "one", 0644);
	root = take(f, "src");
	assert_content(f, &root, "one");
	assert_int_equal(count_stamps(f), 0);
	test_write(f->fd, "src/file", "two", 0644);
	root = take(f, "src");
	assert_content(f, &root, "two");
	/* Whatever time a person holds still for what is written down: files have the kernel's. */
	setenv("KILN_CLOCK", "7000000000", 1);
	root = take(f, "src");
	unsetenv("KILN_CLOCK");
	assert_int_equal(count_stamps(f), 0);
}

static void files_long_unchanged_are_not_read_again(void **state)
{
	struct fixture *f = *state;
	struct tree_node root;
	struct blob_ref other;

	test_write(f->fd, "src/file", "one", 0644);
	usleep(2600000); /* the file is old by now */
	root = take(f, "src");
	assert_content(f, &root, "one");
	assert_int_equal(count_stamps(f), 1);
	put_text(f->store, "ONE", &other);
	plant(f, &other);
	root = take(f, "src");
	assert_content(f, &root, "ONE"); /* so it was not read */
	remove_blob(f, &other);
	root = take(f, "src");
	assert_content(f, &root, "one"); /* the blob is needed too */
	put_text(f->store, "ONE", &other);
	plant(f, &other);
	test_write(f->fd, "src/file", "new", 0644);
	root = take(f, "src");
	assert_content(f, &root, "new");
	plant(f, &other);
	test_write(f->fd, "src/other", "new", 0644);
	assert_int_equal(renameat(f->fd, "src/other", f->fd, "src/file"), 0);
	root = take(f, "src");
	assert_content(f, &root, "new"); /* another inode */
}

static void stamps_may_be_trusted(void **state)
{
	struct fixture *f = *state;
	struct blob_ref one, dir;
	struct tree_node root;
	struct err err = ERR_INIT;
	char before[SNAPSHOT_GENERATION + 1], after[SNAPSHOT_GENERATION + 1];

	test_write(f->fd, "src/file", "one", 0644);
	usleep(2600000); /* the file is old by now */
	root = take(f, "src");
	assert_int_equal(store_has_node(f->store, &root, &err), 0);
	put_text(f->store, "one", &one);
	remove_blob(f, &one);
	store_trust_stamps(f->store, true);
	assert_true(store_trusts_stamps(f->store));
	root = take(f, "src");
	assert_content(f, &root, "one");
	/* What was whole in this process stays so; another one looks. */
	f->store = store_close(f->store);
	f->store = test_store(f->dir, "store");
	assert_int_equal(store_has_node(f->store, &root, &err), STORE_MISS);
	assert_int_equal(err.code, ERR_NONE);
	/* Nobody trusted this one: there is nothing to end. */
	assert_true(store_generation(f->store, before));
	store_end_trust(f->store);
	assert_true(store_generation(f->store, after));
	assert_string_equal(before, after);
	store_trust_stamps(f->store, true);
	store_trust_stamps(f->store, false);
	assert_false(store_trusts_stamps(f->store));
	take(f, "src");
	assert_int_equal(store_has_node(f->store, &root, &err), 0);
	store_end_trust(f->store);
	f->store = store_close(f->store);
	f->store = test_store(f->dir, "store");
	assert_true(store_generation(f->store, after));
	assert_string_not_equal(before, after);
	dir = root.ref;
	remove_blob(f, &dir);
	assert_int_equal(store_has_node(f->store, &root, &err), STORE_MISS);
}

/* Whose content a collection takes. */
static void stamps_go_with_what_they_stand_for(void **state)
{
	struct fixture *f = *state;
	const struct gc_request request = { .budget = -1 };
	struct gc_outcome outcome;
	struct tree_node root;
	struct err err = ERR_INIT;

	test_write(f->fd, "src/file", "one", 0644);
	usleep(2600000); /* the file is old by now */
	root = take(f, "src");
	assert_int_equal(count_stamps(f), 1);
	must(store_gc(f->store, &request, &outcome, &err), &err);
	assert_int_equal(outcome.blobs_gone.n, 2);
	assert_int_equal(count_stamps(f), 0);
	f->store = store_close(f->store);
	f->store = test_store(f->dir, "store");
	assert_int_equal(store_has_node(f->store, &root, &err), STORE_MISS);
	store_trust_stamps(f->store, true);
	take(f, "src");
	assert_int_equal(store_has_node(f->store, &root, &err), 0);
}

static void a_users_folder_is_blamed_as_input(void **state)
{
	struct fixture *f = *state;
	const struct ingest_options plain = { 0 };
	struct tree_node node;
	struct err err = ERR_INIT;
	char *path = str_fmt("%s/src", f->dir), *no = str_fmt("%s/no", f->dir);

	test_write(f->fd, "src/suid", "x", 04755);
	assert_int_equal(ingest_folder(f->store, f->arena, path, &plain, &node, &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	assert_contains(err.cause, "/src/suid is setuid or setgid, which a tree cannot hold");
	assert_int_equal(ingest_folder(f->store, f->arena, no, &plain, &node, &err), PLACE_MISSING);
	free(path);
	free(no);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(files_just_written_are_always_read),
		TEST(files_long_unchanged_are_not_read_again),
		TEST(stamps_may_be_trusted),
		TEST(stamps_go_with_what_they_stand_for),
		TEST(a_users_folder_is_blamed_as_input),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
