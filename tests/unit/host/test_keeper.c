/* A keeper: what its child starts, and does not end, ends with it, whoever is killed. */
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "base/buf.h"
#include "host/child.h"
#include "unit/support.h"

enum { SOON_MS = 5000 };

/* A pipe whose write end the child and whatever it starts hold: its end says that all are gone. */
struct witness {
	int ends[2];
};

static void witness_init(struct witness *w)
{
	assert_int_equal(pipe2(w->ends, O_CLOEXEC), 0);
}

static bool all_are_gone(struct witness *w)
{
	struct pollfd p = { w->ends[0], POLLIN, 0 };
	char byte;

	w->ends[1] = fs_close(w->ends[1]);
	return poll(&p, 1, SOON_MS) == 1 && read(w->ends[0], &byte, 1) == 0;
}

static struct child_spec kept(const struct witness *w, const char *const *argv)
{
	return (struct child_spec){
		.argv = argv, .kept = true, .keep_fds = &w->ends[1], .n_keep_fds = 1
	};
}

/* The status and the streams are the program's, and nothing that it left goes on. */
static void the_rest_ends_with_the_child(void **state)
{
	static const char *const argv[] = { "sh", "-c", "echo out; setsid sleep 79.5 & exit 3",
		                            NULL };
	_cleanup_child_result_ struct child_result r = { 0 };
	struct witness w;
	struct child_spec spec;
	struct err err = ERR_INIT;

	(void)state;
	witness_init(&w);
	spec = kept(&w, argv);
	assert_int_equal(child_run(&spec, &r, &err), 0);
	assert_int_equal(r.exit_code, 3);
	assert_string_equal(buf_text(&r.out), "out\n");
	assert_true(all_are_gone(&w));
	close(w.ends[0]);
}

static void a_signal_is_told(void **state)
{
	static const char *const argv[] = { "sh", "-c", "kill -9 $$", NULL };
	_cleanup_child_result_ struct child_result r = { 0 };
	const struct child_spec spec = { .argv = argv, .kept = true };
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(child_run(&spec, &r, &err), 0);
	assert_int_equal(r.exit_code, 128 + SIGKILL);
}

static void out_of_time_all_is_ended(void **state)
{
	static const char *const argv[] = { "sh", "-c", "setsid sleep 80.5 & sleep 80.5", NULL };
	_cleanup_child_result_ struct child_result r = { 0 };
	struct witness w;
	struct child_spec spec;
	struct err err = ERR_INIT;

	(void)state;
	witness_init(&w);
	spec = kept(&w, argv);
	spec.timeout_ms = 200;
	assert_int_equal(child_run(&spec, &r, &err), -1);
	assert_contains(err.cause, "did not end within");
	assert_true(all_are_gone(&w));
	close(w.ends[0]);
}

/* The caller is killed, at one moment after another: nothing of what it ran is left. */
static void all_end_with_the_caller(void **state)
{
	static const char *const argv[] = { "sh", "-c", "setsid sleep 81.5 & sleep 81.5", NULL };

	(void)state;
	for (int i = 0; i < 20; i++) {
		struct witness w;
		pid_t pid;

		witness_init(&w);
		pid = fork();
		if (pid == 0) {
			struct child_spec spec = kept(&w, argv);
			struct child_result r;
			struct err err = ERR_INIT;

			_exit(child_run(&spec, &r, &err) < 0);
		}
		usleep((useconds_t)i * 500);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		assert_true(all_are_gone(&w));
		close(w.ends[0]);
	}
}

static void a_missing_program_is_told(void **state)
{
	static const char *const argv[] = { "/bin", NULL };
	const struct child_spec spec = { .argv = argv, .kept = true };
	struct child_result r;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(child_run(&spec, &r, &err), -1);
	assert_contains(err.cause, "cannot find the program");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rest_ends_with_the_child),
		cmocka_unit_test(a_signal_is_told),
		cmocka_unit_test(out_of_time_all_is_ended),
		cmocka_unit_test(all_end_with_the_caller),
		cmocka_unit_test(a_missing_program_is_told),
	};

	return cmocka_run_group_tests_name("host/keeper", tests, NULL, NULL);
}
