/* The job server's tokens against clients that are honest, slow, greedy and false. */
#include "unit/support.h"

#include <poll.h>
#include <sys/stat.h>

#include "base/path.h"
#include "exec/jobserver.h"
#include "host/clock.h"

enum { OFFER_US = 21000 }; /* a little more than an offer stands */

struct fixture {
	char *dir;
	struct jobserver *js;
};

static int setup(void **state)
{
	static struct fixture f;
	struct err err = ERR_INIT;

	f.dir = test_folder();
	must(jobserver_new(f.dir, &f.js, &err), &err);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	f->js = jobserver_free(f->js);
	test_folder_remove(f->dir);
	return 0;
}

/* A stage with its end of the fifo, which does not block. */
static int client(struct fixture *f, uint64_t stage)
{
	struct err err = ERR_INIT;
	_cleanup_free_ char *path = NULL;
	const char *dir;
	int fd;

	must(jobserver_open(f->js, stage, &dir, &err), &err);
	path = path_join(dir, JOBSERVER_FILE);
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

/* How many of n tokens a client gets. */
static int take(int fd, int n)
{
	char c;
	int got = 0;

	while (got < n && read(fd, &c, 1) == 1)
		got++;
	return got;
}

static void give(int fd, int n)
{
	while (n-- > 0)
		assert_int_equal(write(fd, "+", 1), 1);
}

static void one_stage_gets_all(void **state)
{
	struct fixture *f = *state;
	struct jobserver_end end;
	int fd = client(f, 7);

	jobserver_share(f->js, 3);
	assert_int_equal(jobserver_lent(f->js), 0);
	assert_int_equal(take(fd, 9), 3);
	assert_int_equal(jobserver_lent(f->js), 3);
	assert_int_equal(jobserver_lent_to(f->js, 7), 3);
	assert_int_equal(jobserver_lent_to(f->js, 8), 0);
	jobserver_share(f->js, 3); /* there are no more */
	assert_int_equal(take(fd, 9), 0);
	give(fd, 3);
	assert_int_equal(jobserver_lent(f->js), 0);
	jobserver_close(f->js, 7, &end);
	assert_int_equal(end.most, 3);
	assert_int_equal(end.kept, 0);
	assert_int_equal(end.surplus, 0);
	close(fd);
}

/* What one stage does not take moves to one that does, all of it at once. */
static void offers_move_to_the_hungry(void **state)
{
	struct fixture *f = *state;
	int idle = client(f, 1), busy = client(f, 2), n;

	jobserver_share(f->js, 6);
	n = take(busy, 9);
	assert_int_equal(n, 3); /* half each, as nobody is known yet */
	jobserver_share(f->js, 6);
	n += take(busy, 9);
	assert_int_equal(n, 6);
	assert_int_equal(take(idle, 9), 0);
	usleep(OFFER_US);
	give(busy, 2); /* both are offered what comes back */
	jobserver_share(f->js, 6);
	jobserver_share(f->js, 6);
	assert_int_equal(jobserver_lent(f->js), 4);
	assert_true(take(idle, 9) + take(busy, 9) == 2);
	close(idle);
	close(busy);
}

/* Two stages that take nothing do not keep Kiln busy with the one token that there is. */
static void an_offer_stands_for_a_while(void **state)
{
	struct fixture *f = *state;
	struct pollfd p = { jobserver_fd(f->js), POLLIN, 0 };
	int one = client(f, 1), two = client(f, 2), woken = 0;
	int64_t end = clock_mono_us() + 10 * OFFER_US;

	jobserver_share(f->js, 1);
	while (clock_mono_us() < end)
		if (poll(&p, 1, 1) > 0) {
			woken++;
			jobserver_share(f->js, 1);
		}
	assert_true(woken <= 22);
	close(one);
	close(two);
}

/* A stage that is to start needs what was offered: nothing of it may still be taken. */
static void offers_are_taken_back(void **state)
{
	struct fixture *f = *state;
	int fd = client(f, 1);

	jobserver_share(f->js, 4);
	assert_int_equal(take(fd, 1), 1);
	jobserver_share(f->js, 2);
	assert_int_equal(take(fd, 9), 1);
	jobserver_share(f->js, 0);
	assert_int_equal(jobserver_lent(f->js), 2);
	give(fd, 1);
	jobserver_share(f->js, 0); /* what comes back stays away */
	assert_int_equal(take(fd, 9), 0);
	assert_int_equal(jobserver_lent(f->js), 1);
	close(fd);
}

static void what_is_kept_is_restored(void **state)
{
	struct fixture *f = *state;
	struct jobserver_end end;
	int greedy = client(f, 1), next;

	jobserver_share(f->js, 2);
	assert_int_equal(take(greedy, 9), 2);
	close(greedy);
	jobserver_close(f->js, 1, &end);
	assert_int_equal(end.kept, 2);
	assert_int_equal(end.most, 2);
	assert_int_equal(jobserver_lent(f->js), 0);
	next = client(f, 2);
	assert_int_equal(take(next, 9), 0); /* nothing is left in a fifo that is used again */
	jobserver_share(f->js, 2);
	assert_int_equal(take(next, 9), 2);
	close(next);
}

static void more_than_was_lent_is_dropped(void **state)
{
	struct fixture *f = *state;
	struct jobserver_end end;
	int liar = client(f, 1), honest = client(f, 2), got;

	give(liar, 50);
	jobserver_share(f->js, 2);
	got = take(liar, 99) + take(honest, 99);
	assert_int_equal(got, 2);
	give(liar, 7);
	assert_true(jobserver_lent(f->js) <= 2);
	jobserver_share(f->js, 2);
	jobserver_close(f->js, 1, &end);
	assert_true(end.surplus >= 55);
	jobserver_close(f->js, 2, &end);
	assert_int_equal(end.surplus, 0);
	close(liar);
	close(honest);
}

/* One that never stops is not listened to: the descriptor stays quiet. */
static void floods_are_cut_off(void **state)
{
	struct fixture *f = *state;
	struct jobserver_end end;
	int fd = client(f, 1);
	char bytes[8192];
	struct pollfd p = { jobserver_fd(f->js), POLLIN, 0 };

	memset(bytes, '+', sizeof(bytes));
	assert_true(write(fd, bytes, sizeof(bytes)) > 0);
	assert_int_equal(poll(&p, 1, 0), 1);
	jobserver_share(f->js, 1);
	jobserver_share(f->js, 1);
	assert_true(write(fd, bytes, sizeof(bytes)) > 0);
	assert_int_equal(poll(&p, 1, 0), 0);
	jobserver_close(f->js, 1, &end);
	assert_true(end.surplus > 4096);
	close(fd);
	fd = client(f, 2);
	jobserver_share(f->js, 1);
	assert_int_equal(take(fd, 9), 1);
	close(fd);
}

/* The descriptor says when something comes back, once each time, though offers lie in the fifo. */
static void returns_are_told(void **state)
{
	struct fixture *f = *state;
	struct pollfd p = { jobserver_fd(f->js), POLLIN, 0 };
	int fd = client(f, 1);

	jobserver_share(f->js, 3);
	jobserver_share(f->js, 3); /* our own bytes are told too */
	assert_int_equal(poll(&p, 1, 0), 0);
	assert_int_equal(take(fd, 2), 2);
	assert_int_equal(poll(&p, 1, 0), 0);
	give(fd, 1);
	assert_int_equal(poll(&p, 1, 0), 1);
	jobserver_share(f->js, 3);
	assert_int_equal(jobserver_lent(f->js), 1);
	close(fd);
}

/* A stage that shuts its fifo, or takes it away, does so for itself alone. */
static void what_a_stage_spoils_no_other_gets(void **state)
{
	struct fixture *f = *state;
	struct jobserver_end end;
	struct err err = ERR_INIT;
	_cleanup_free_ char *first = NULL, *path = NULL;
	const char *dir;
	int fd = client(f, 1);

	assert_int_equal(fchmod(fd, 0), 0);
	close(fd);
	jobserver_close(f->js, 1, &end);
	must(jobserver_open(f->js, 2, &dir, &err), &err);
	first = str_dup(dir);
	path = path_join(dir, JOBSERVER_FILE);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0); /* of its own */
	jobserver_close(f->js, 2, &end);
	must(jobserver_open(f->js, 3, &dir, &err), &err);
	assert_string_not_equal(dir, first);
	free(first);
	first = str_dup(dir);
	jobserver_close(f->js, 3, &end);
	must(jobserver_open(f->js, 4, &dir, &err), &err);
	assert_string_equal(dir, first); /* as it was: the next one has it */
}

/* Whoever starts no stage makes no folder, and none is missed then. */
static void folders_are_made_for_stages(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *work = path_join(f->dir, "work");
	struct fs_names list = { 0 };
	struct err err = ERR_INIT;

	jobserver_share(f->js, 3);
	assert_int_equal(jobserver_lent(f->js), 0);
	must(fs_list(AT_FDCWD, work, &list, &err), &err);
	assert_int_equal(list.names.n, 0);
	fs_names_deinit(&list);
}

static void nothing_is_left_behind(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *work = path_join(f->dir, "work");
	struct fs_names list = { 0 };
	struct err err = ERR_INIT;
	int fd = client(f, 1);

	close(fd);
	f->js = jobserver_free(f->js);
	must(fs_list(AT_FDCWD, work, &list, &err), &err);
	assert_int_equal(list.names.n, 0);
	fs_names_deinit(&list);
}

static void one_that_was_never_opened(void **state)
{
	struct fixture *f = *state;
	struct jobserver_end end = { 1, 2, 3 };

	jobserver_close(f->js, 99, &end);
	assert_int_equal(end.most + end.kept + end.surplus, 0);
	jobserver_share(f->js, 5);
	assert_int_equal(jobserver_lent(f->js), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_stage_gets_all, setup, teardown),
		cmocka_unit_test_setup_teardown(offers_move_to_the_hungry, setup, teardown),
		cmocka_unit_test_setup_teardown(an_offer_stands_for_a_while, setup, teardown),
		cmocka_unit_test_setup_teardown(offers_are_taken_back, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_kept_is_restored, setup, teardown),
		cmocka_unit_test_setup_teardown(more_than_was_lent_is_dropped, setup, teardown),
		cmocka_unit_test_setup_teardown(floods_are_cut_off, setup, teardown),
		cmocka_unit_test_setup_teardown(returns_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(what_a_stage_spoils_no_other_gets, setup, teardown),
		cmocka_unit_test_setup_teardown(folders_are_made_for_stages, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_is_left_behind, setup, teardown),
		cmocka_unit_test_setup_teardown(one_that_was_never_opened, setup, teardown),
	};

	return cmocka_run_group_tests_name("exec/jobserver", tests, NULL, NULL);
}
