/* The database: rows in and out, whole transactions or none, other processes waited for. */
#include <sys/wait.h>

#include "external/db.h"
#include "unit/support.h"

struct fixture {
	char *dir, *path;
	struct db *db;
};

static int setup(void **state)
{
	struct fixture *f = alloc(sizeof(*f));
	struct err err = ERR_INIT;

	f->dir = test_folder();
	f->path = str_fmt("%s/db", f->dir);
	must(db_open(f->path, &f->db, &err), &err);
	must(db_exec(f->db, "CREATE TABLE t(a INTEGER PRIMARY KEY, b, c)", &err), &err);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	db_close(f->db);
	test_folder_remove(f->dir);
	free(f->path);
	free(f);
	return 0;
}

static void add(struct db *db, int64_t a, const char *b, struct str c)
{
	struct db_stmt *stmt;
	struct err err = ERR_INIT;

	must(db_prepare(db, "INSERT INTO t VALUES(?1, ?2, ?3)", &stmt, &err), &err);
	db_bind_int(stmt, 1, a);
	db_bind_text(stmt, 2, b);
	db_bind_bytes(stmt, 3, c.p, c.n);
	must(db_run(stmt, &err), &err);
	db_stmt_free(stmt);
}

static int64_t count(struct db *db)
{
	struct db_stmt *stmt;
	struct err err = ERR_INIT;
	int64_t n;

	must(db_prepare(db, "SELECT count(*) FROM t", &stmt, &err), &err);
	assert_int_equal(db_step(stmt, &err), DB_ROW);
	n = db_int(stmt, 0);
	db_stmt_free(stmt);
	return n;
}

static void rows_come_back(void **state)
{
	struct fixture *f = *state;
	struct db_stmt *stmt;
	struct err err = ERR_INIT;

	add(f->db, INT64_MIN, "é'; --", STR("a\0b"));
	add(f->db, 5, "", (struct str){ NULL, 0 });
	must(db_prepare(f->db, "SELECT a, b, c FROM t ORDER BY a", &stmt, &err), &err);
	for (int twice = 0; twice < 2; twice++) {
		assert_int_equal(db_step(stmt, &err), DB_ROW);
		assert_int_equal(db_int(stmt, 0), INT64_MIN);
		assert_string_equal(db_text(stmt, 1), "é'; --");
		assert_true(str_same(db_bytes(stmt, 2), STR("a\0b")));
		assert_int_equal(db_step(stmt, &err), DB_ROW);
		assert_int_equal(db_bytes(stmt, 2).n, 0);
		assert_int_equal(db_step(stmt, &err), 0); /* ready to be used anew */
	}
	db_stmt_free(stmt);
}

static void a_rolled_back_transaction_left_nothing(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;

	must(db_begin(f->db, &err), &err);
	add(f->db, 1, "", STR(""));
	db_rollback(f->db);
	assert_int_equal(count(f->db), 0);
	must(db_begin(f->db, &err), &err);
	add(f->db, 1, "", STR(""));
	must(db_commit(f->db, &err), &err);
	assert_int_equal(count(f->db), 1);
	db_rollback(f->db); /* without a transaction: nothing */
}

static void a_failed_statement_names_the_file_and_can_be_used_again(void **state)
{
	struct fixture *f = *state;
	struct db_stmt *stmt;
	struct err err = ERR_INIT;

	add(f->db, 1, "", STR(""));
	must(db_prepare(f->db, "INSERT INTO t VALUES(?1, '', '')", &stmt, &err), &err);
	db_bind_int(stmt, 1, 1);
	assert_int_equal(db_run(stmt, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	assert_contains(err.cause, f->path);
	err_clear(&err);
	db_bind_int(stmt, 1, 2);
	must(db_run(stmt, &err), &err);
	db_stmt_free(stmt);
	assert_int_equal(db_prepare(f->db, "SELECT nonsense", &stmt, &err), -1);
	assert_contains(err.cause, "nonsense");
}

static void the_version_is_kept(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	int version = -1;

	must(db_get_version(f->db, &version, &err), &err);
	assert_int_equal(version, 0);
	must(db_set_version(f->db, 7, &err), &err);
	db_close(f->db);
	must(db_open(f->path, &f->db, &err), &err);
	must(db_get_version(f->db, &version, &err), &err);
	assert_int_equal(version, 7);
}

/* A child holds the write lock for a while; the parent's transaction waits and then works. */
static void writers_wait_for_each_other(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	int pipes[2], status;
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct db *db = NULL;
		int bad = db_open(f->path, &db, &err) || db_begin(db, &err);

		bad |= write(pipes[1], "x", 1) != 1;
		if (!bad)
			add(db, 1, "child", STR(""));
		usleep(200000);
		_exit(bad || db_commit(db, &err));
	}
	close(pipes[1]);
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	assert_int_equal(count(f->db), 0); /* readers do not wait */
	must(db_begin(f->db, &err), &err);
	assert_int_equal(count(f->db), 1);
	must(db_commit(f->db, &err), &err);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(pipes[0]);
}

static void no_database_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct db *db = NULL;
	struct err err = ERR_INIT;
	char *path = str_fmt("%s/no/db", f->dir);

	assert_int_equal(db_open(path, &db, &err), -1);
	assert_null(db);
	assert_int_equal(err.code, ERR_IO);
	assert_contains(err.cause, path);
	assert_contains(err.hint, "writable");
	free(path);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rows_come_back),
		TEST(a_rolled_back_transaction_left_nothing),
		TEST(a_failed_statement_names_the_file_and_can_be_used_again),
		TEST(the_version_is_kept),
		TEST(writers_wait_for_each_other),
		TEST(no_database_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
