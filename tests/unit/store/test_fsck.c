/* Checking what is there, against what it says that it is. */
#include <fcntl.h>
#include <sys/stat.h>

#include "external/db.h"
#include "host/failpoint.h"
#include "store/store_impl.h"
#include "unit/store/a_result.h"

/* Other bytes of the same length, and the stamp of a blob that nobody touched. */
static void spoil(struct fixture *f, const struct blob_ref *ref)
{
	const struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	char hex[DIGEST_HEX_SIZE];
	char *path;
	int fd;

	digest_hex(&ref->digest, hex);
	path = str_fmt("%s/store/blobs/%.2s/%s", f->dir, hex, hex + 2);
	assert_int_equal(chmod(path, 0600), 0);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "#", 1, 0), 1);
	assert_int_equal(futimens(fd, times), 0);
	close(fd);
	free(path);
}

static struct fsck_outcome check(struct fixture *f)
{
	struct fsck_outcome outcome;
	struct err err = ERR_INIT;

	must(store_fsck(f->store, &outcome, &err), &err);
	f->store = store_close(f->store);
	f->store = test_store(f->dir, "store");
	return outcome;
}

static void a_sound_store(void **state)
{
	struct fixture *f = *state;
	const struct made m = result(f, "one");
	const struct fsck_outcome o = check(f);

	assert_true(o.blobs.n > 5);
	assert_int_equal(o.corrupt.n, 0);
	assert_int_equal(o.n_results, 1);
	assert_int_equal(o.n_forgotten, 0);
	assert_true(is_known(f, &m));
}

static void a_corrupt_blob_is_dropped_and_its_result_forgotten(void **state)
{
	struct fixture *f = *state;
	const struct made m = result(f, "one"), sound = result(f, "two");
	struct fsck_outcome o;

	spoil(f, &m.file);
	assert_true(is_known(f, &m)); /* its stamp says that nobody wrote to it */
	o = check(f);
	assert_int_equal(o.corrupt.n, 1);
	assert_int_equal(o.n_forgotten, 1);
	assert_false(is_there(f, &m.file));
	assert_false(is_known(f, &m));
	assert_true(is_known(f, &sound));
	o = check(f);
	assert_int_equal(o.corrupt.n + o.n_forgotten, 0);
}

/* Whoever cannot read a blob now does not say that it is corrupt; what the disk no longer gives is. */
static void what_cannot_be_read_is_no_corruption(void **state)
{
	struct fixture *f = *state;
	struct fsck_outcome o;
	struct err err = ERR_INIT;

	result(f, "one");
	setenv("KILN_FAILPOINT", "hash-read:1:12", 1); /* ENOMEM */
	failpoint_arm();
	assert_int_equal(store_fsck(f->store, &o, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	assert_contains(err.cause, "cannot read the blob");
	setenv("KILN_FAILPOINT", "hash-read:1:5", 1); /* EIO */
	failpoint_arm();
	o = check(f);
	assert_int_equal(o.corrupt.n, 1);
	unsetenv("KILN_FAILPOINT");
	failpoint_arm();
	o = check(f);
	assert_int_equal(o.corrupt.n, 0);
}

static void who_trusts_nothing_sees_it_at_once(void **state)
{
	struct fixture *f = *state;
	const struct made m = result(f, "one");
	int fd = -1;
	struct err err = ERR_INIT;

	spoil(f, &m.file);
	assert_true(is_there(f, &m.file));
	store_set_paranoid(f->store);
	assert_int_equal(blobs_open_fd(store_blobs(f->store), &m.file, &fd, &err), BLOBS_MISS);
	assert_false(is_known(f, &m));
}

static void a_damaged_database_is_told(void **state)
{
	struct fixture *f = *state;
	char *path = str_fmt("%s/store/db.sqlite", f->dir);
	struct fsck_outcome outcome;
	struct err err = ERR_INIT;
	int fd;

	for (int i = 0; i < 40; i++)
		result(f, arena_fmt(f->arena, "r%d", i));
	must(db_exec(f->store->db, "PRAGMA wal_checkpoint(TRUNCATE)", &err), &err);
	f->store = store_close(f->store);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	for (off_t at = 8192; at < 40960; at += 4096)
		assert_int_equal(pwrite(fd, "################", 16, at), 16);
	close(fd);
	free(path);
	f->store = test_store(f->dir, "store");
	assert_int_equal(store_fsck(f->store, &outcome, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	assert_contains(err.cause, "the database of the store");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_sound_store),
		TEST(a_corrupt_blob_is_dropped_and_its_result_forgotten),
		TEST(what_cannot_be_read_is_no_corruption),
		TEST(who_trusts_nothing_sees_it_at_once),
		TEST(a_damaged_database_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
