/* Sharing the machine with another process, played here by a second handle of the same locks. */
#include "unit/support.h"

#include <sys/stat.h>

#include "base/path.h"
#include "host/alone.h"

struct fixture {
	char *dir;
	struct alone a, b, c;
};

static int setup(void **state)
{
	static struct fixture f;
	struct err err = ERR_INIT;

	f.dir = test_folder();
	must(alone_open(&f.a, f.dir, &err), &err);
	must(alone_open(&f.b, f.dir, &err), &err);
	must(alone_open(&f.c, f.dir, &err), &err);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	alone_deinit(&f->a);
	alone_deinit(&f->b);
	alone_deinit(&f->c);
	test_folder_remove(f->dir);
	return 0;
}

static void workers_share(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;

	must(alone_share(&f->a, &err), &err);
	must(alone_share(&f->b, &err), &err);
	must(alone_share(&f->a, &err), &err);
	assert_int_equal(alone_take(&f->c, &err), ALONE_BUSY);
	assert_int_equal(err.code, ERR_NONE);
}

/* Who waits holds the gate: those who work begin nothing new, and he comes in when they have ended. */
static void who_measures_is_not_starved(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;

	must(alone_share(&f->a, &err), &err);
	assert_int_equal(alone_take(&f->b, &err), ALONE_BUSY);
	assert_int_equal(alone_share(&f->a, &err), ALONE_BUSY); /* it goes on, but starts nothing */
	assert_int_equal(alone_share(&f->c, &err), ALONE_BUSY);
	alone_leave(&f->a);
	must(alone_take(&f->b, &err), &err);
	must(alone_take(&f->b, &err), &err);
	assert_int_equal(alone_share(&f->a, &err), ALONE_BUSY);
	assert_int_equal(alone_take(&f->c, &err), ALONE_BUSY);
	alone_leave(&f->b);
	must(alone_share(&f->a, &err), &err);
}

static void own_work_ends_first(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;

	must(alone_share(&f->a, &err), &err);
	must(alone_take(&f->a, &err), &err); /* nobody else is there */
	assert_int_equal(alone_share(&f->b, &err), ALONE_BUSY);
	alone_deinit(&f->a); /* as at the end of its process */
	must(alone_share(&f->b, &err), &err);
}

static void what_is_no_lock(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *dir = path_join(f->dir, "other");
	_cleanup_free_ char *gate = path_join(dir, "kiln-gate.lock");
	struct alone alone;
	struct err err = ERR_INIT;

	assert_int_equal(mkdir(dir, 0755), 0);
	assert_int_equal(mkfifo(gate, 0644), 0);
	assert_int_equal(alone_open(&alone, dir, &err), -1);
	assert_int_equal(err.code, ERR_MACHINE);
	assert_contains(err.cause, "is no file, and so no lock of all kilns here");
	assert_int_equal(unlink(gate), 0);
	assert_int_equal(symlink("/etc/passwd", gate), 0);
	err_clear(&err);
	assert_int_equal(alone_open(&alone, dir, &err), -1);
	assert_contains(err.cause, "kiln-gate.lock, the lock of all kilns here");
	assert_int_equal(alone.gate, -1);
}

/* Whoever makes them, everybody can open them. */
static void they_are_for_all_users(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *room = path_join(f->dir, "kiln-room.lock");
	struct stat st;

	assert_int_equal(stat(room, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(workers_share, setup, teardown),
		cmocka_unit_test_setup_teardown(who_measures_is_not_starved, setup, teardown),
		cmocka_unit_test_setup_teardown(own_work_ends_first, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_no_lock, setup, teardown),
		cmocka_unit_test_setup_teardown(they_are_for_all_users, setup, teardown),
	};

	return cmocka_run_group_tests_name("host/alone", tests, NULL, NULL);
}
