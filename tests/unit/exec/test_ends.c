/*
 * How runs end: time limits, size limits, cancels, and every way of being killed. Nothing that an
 * action started may outlive it, and what happened is told.
 */
#include "unit/support.h"

#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/array.h"
#include "base/path.h"
#include "fakes/lab.h"
#include "host/clock.h"
#include "host/failpoint.h"
#include "host/lock.h"
#include "sandbox/spec.h"

static bool is_gone_within(const char *text, int ms)
{
	int64_t deadline = clock_mono_us() + ms * 1000;

	while (lab_is_running(text)) {
		if (clock_mono_us() >= deadline)
			return false;
		usleep(10000);
	}
	return true;
}

static void assert_gone_within(const char *text, int ms)
{
	assert_true(is_gone_within(text, ms));
}

static void assert_comes(const char *text)
{
	int64_t deadline = clock_mono_us() + 10000000;

	while (!lab_is_running(text)) {
		assert_true(clock_mono_us() < deadline);
		usleep(10000);
	}
}

static void timeout_kills_all(void **state)
{
	struct lab *lab = *state;
	struct action a = { .argv = LAB_LIST("sh", "-c", "setsid sleep 71.5 & sleep 71.5"),
		            .n_argv = 3 };
	struct exec_completion c;
	int64_t began = clock_mono_us();

	lab_submit(lab, &a, 300, 1);
	lab_wait(lab, &c);
	assert_true(clock_mono_us() - began < 3000000);
	assert_int_equal(c.status, EXEC_FAILED);
	assert_non_null(strstr(c.why, "time limit of 0.3 s"));
	assert_false(lab_is_running("71.5"));
	lab_assert_no_work(lab);
}

static void daemons_end_with_the_stage(void **state)
{
	struct lab *lab = *state;
	struct exec_completion c;
	int64_t began = clock_mono_us();

	lab_run(lab, "setsid sleep 72.5 & setsid sh -c 'setsid sleep 72.5 &' & echo done", &c);
	assert_int_equal(c.status, EXEC_OK);
	assert_true(clock_mono_us() - began < 3000000);
	assert_false(lab_is_running("72.5"));
	assert_string_equal(lab_text(lab, &c.result.out), "done\n");
}

static void cancel_ends_everything(void **state)
{
	struct lab *lab = *state;
	struct action a = { .argv = LAB_LIST("sh", "-c", "setsid sleep 73.5 & sleep 73.5"),
		            .n_argv = 3 };
	struct exec_completion c;
	struct pollfd p = { lab->executor->ops->poll_fd(lab->executor), POLLIN, 0 };
	int64_t began;

	for (uint64_t i = 0; i < 4; i++) /* two run, two wait */
		lab_submit(lab, &a, 0, i);
	assert_comes("73.5");
	began = clock_mono_us();
	lab->executor->ops->cancel(lab->executor);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(poll(&p, 1, 5000), 1);
		lab_wait(lab, &c);
		assert_int_equal(c.status, EXEC_CANCELLED);
	}
	assert_true(clock_mono_us() - began < 1000000);
	assert_gone_within("73.5", 300);
	lab_assert_no_work(lab);
	lab_run(lab, "true", &c); /* and goes on afterwards */
	assert_int_equal(c.status, EXEC_OK);
}

static void slots_queue(void **state)
{
	struct lab *lab = *state;
	struct action a = { .argv = LAB_LIST("sleep", "0.2"), .n_argv = 2 };
	struct exec_completion c;
	struct err err = ERR_INIT;
	uint64_t seen = 0;
	int64_t began = clock_mono_us();

	assert_int_equal(lab->executor->ops->wait(lab->executor, lab->arena, -1, &c, &err),
	                 EXECUTOR_IDLE);
	for (uint64_t i = 0; i < 4; i++)
		lab_submit(lab, &a, 0, i);
	assert_int_equal(lab->executor->ops->wait(lab->executor, lab->arena, 0, &c, &err),
	                 EXECUTOR_IDLE);
	for (int i = 0; i < 4; i++) {
		lab_wait(lab, &c);
		assert_int_equal(c.status, EXEC_OK);
		seen |= 1u << c.token;
	}
	assert_int_equal(seen, 15);
	assert_true(clock_mono_us() - began >= 400000);
}

/* Of runners: those of this lab's own, who wait, are among them. */
static size_t places(struct lab *lab)
{
	_cleanup_free_ char *work = path_join(lab->dir, "work");
	struct fs_names names = { 0 };
	struct err err = ERR_INIT;
	size_t n;

	must(fs_list(AT_FDCWD, work, &names, &err), &err);
	n = names.names.n;
	fs_names_deinit(&names);
	return n;
}

/* A runner that ends tidies up, though nobody hears its answer any more. */
static void assert_places(struct lab *lab, size_t n)
{
	const int64_t deadline = clock_mono_us() + 1000000;

	while (places(lab) > n) {
		assert_true(clock_mono_us() < deadline);
		usleep(1000);
	}
}

/* SIGKILL of the main process: server, runners, sandboxes and their daemons go with it. */
static void dies_with_main(void **state)
{
	struct lab *lab = *state;
	const size_t before = places(lab);
	int ends[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		struct executor_local_options options = { .store_dir = lab->dir,
			                                  .images_dir = lab->images,
			                                  .runtime = lab->runtime,
			                                  .userns_fd = lab->userns_fd,
			                                  .slots = 2 };
		struct action a = { .argv = LAB_LIST("sh", "-c", "setsid sleep 74.5 & sleep 74.5"),
			            .n_argv = 3 };
		struct runner_server *server;
		struct lab other = *lab;
		struct err err = ERR_INIT;

		if (runner_server_start(&server, &err) < 0)
			_exit(1);
		options.server = server;
		if (executor_local_new(&options, &other.executor, &err) < 0)
			_exit(1);
		lab_submit(&other, &a, 0, 1);
		(void)!write(ends[1], "x", 1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ends[0], &byte, 1), 1);
	assert_comes("74.5");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_gone_within("74.5", 1000);
	assert_places(lab, before);
	close(ends[0]);
	close(ends[1]);
}

/* A runner that is killed is told, and what it ran goes with it, whenever that happens: bubblewrap
 * has moments in which it does not yet die with its parent. */
static void killed_runner_leaves_nothing(void **state)
{
	struct lab *lab = *state;
	struct executor_local_options options = { .store_dir = lab->dir,
		                                  .images_dir = lab->images,
		                                  .runtime = lab->runtime,
		                                  .userns_fd = lab->userns_fd,
		                                  .slots = 2 };

	for (int i = 0; i < 40; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			struct action a = { .argv = LAB_LIST("sh", "-c",
				                             "setsid sleep 75.5 & sleep 75.5"),
				            .n_argv = 3 };
			struct lab other = *lab;
			struct err err = ERR_INIT;

			if (runner_server_start(&other.server, &err) < 0)
				_exit(1);
			options.server = other.server;
			if (executor_local_new(&options, &other.executor, &err) < 0)
				_exit(1);
			lab_submit(&other, &a, 0, 1);
			for (;;)
				pause();
		}
		usleep((useconds_t)(2000 + i * 400));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	assert_gone_within("75.5", 1000);
}

/* The youngest child of this process: the server that was started last. */
static pid_t youngest_child(void)
{
	_cleanup_free_ char *path = str_fmt("/proc/self/task/%d/children", (int)getpid());
	FILE *children = fopen(path, "re");
	pid_t pid = 0;

	assert_non_null(children);
	while (fscanf(children, "%d", &pid) == 1)
		;
	fclose(children);
	return pid;
}

/* The same where the server is killed, and the main process goes on. */
static void killed_server_leaves_nothing(void **state)
{
	struct lab *lab = *state;
	struct executor_local_options options = { .store_dir = lab->dir,
		                                  .images_dir = lab->images,
		                                  .runtime = &sandbox_bwrap,
		                                  .slots = 2 };
	struct action a = { .argv = LAB_LIST("sh", "-c", "setsid sleep 82.5 & sleep 82.5"),
		            .n_argv = 3 };

	for (int i = 0; i < 40; i++) {
		struct lab other = *lab;
		struct exec_completion c;
		struct err err = ERR_INIT;

		assert_int_equal(runner_server_start(&other.server, &err), 0);
		options.server = other.server;
		assert_int_equal(executor_local_new(&options, &other.executor, &err), 0);
		lab_submit(&other, &a, 0, 1);
		usleep((useconds_t)(2000 + i * 400));
		kill(youngest_child(), SIGKILL);
		lab_wait(&other, &c);
		assert_int_equal(c.status, EXEC_BROKEN);
		other.executor->ops->free(other.executor);
		runner_server_stop(other.server);
	}
	assert_gone_within("82.5", 1000);
}

/* The first child, the server, and its first child, the runner. */
static pid_t the_runner(pid_t *ret_server)
{
	_cleanup_free_ char *path = str_fmt("/proc/self/task/%d/children", (int)getpid());
	FILE *children = fopen(path, "re");
	pid_t server = 0, runner = 0;

	assert_non_null(children);
	assert_int_equal(fscanf(children, "%d", &server), 1);
	fclose(children);
	free(path);
	path = str_fmt("/proc/%d/task/%d/children", (int)server, (int)server);
	children = fopen(path, "re");
	assert_non_null(children);
	assert_int_equal(fscanf(children, "%d", &runner), 1);
	fclose(children);
	*ret_server = server;
	return runner;
}

static void killed_runner_is_told(void **state)
{
	struct lab *lab = *state;
	struct action a = { .argv = LAB_LIST("sh", "-c", "setsid sleep 76.5 & sleep 76.5"),
		            .n_argv = 3 };
	struct exec_completion c;
	pid_t server;

	lab_submit(lab, &a, 0, 5);
	assert_comes("76.5");
	kill(the_runner(&server), SIGKILL);
	lab_wait(lab, &c);
	assert_int_equal(c.status, EXEC_BROKEN);
	assert_int_equal(c.token, 5);
	assert_non_null(strstr(c.err.cause, "without an answer"));
	assert_gone_within("76.5", 1000);
}

/* What is left behind is locked by nobody: a sweep takes it. */
static void sweep(struct lab *lab)
{
	_cleanup_free_ char *work = path_join(lab->dir, "work");
	int fd = test_open_dir(work);
	struct fs_names names = { 0 };
	struct err err = ERR_INIT;

	must(fs_list(fd, ".", &names, &err), &err);
	for (size_t i = 0; i < names.names.n; i++) {
		int dead = -1;

		assert_true(lock_dir_is_dead(fd, names.names.v[i], &dead));
		must(fs_remove_tree(fd, names.names.v[i], &err), &err);
		close(dead);
	}
	fs_names_deinit(&names);
	close(fd);
}

/* With all numbers below the limit but `spare` taken, a runner's two descriptors do not arrive. */
static void without_descriptors(struct lab *lab, bool spare)
{
	struct executor_local_options options = { .store_dir = lab->dir,
		                                  .images_dir = lab->images,
		                                  .runtime = lab->runtime,
		                                  .userns_fd = lab->userns_fd,
		                                  .slots = 1 };
	struct action first = { .argv = LAB_LIST("sleep", "0.3"), .n_argv = 2 };
	struct action second = { .argv = LAB_LIST("sleep", "78.5"), .n_argv = 2 };
	struct exec_completion c;
	struct rlimit limit, few;
	struct err err = ERR_INIT;

	if (runner_server_start(&options.server, &err) < 0 ||
	    executor_local_new(&options, &lab->executor, &err) < 0)
		_exit(1);
	lab_submit(lab, &first, 0, 1);
	lab_submit(lab, &second, 0, 2); /* waits for the one slot */
	getrlimit(RLIMIT_NOFILE, &limit);
	few = (struct rlimit){ 3, limit.rlim_max };
	setrlimit(RLIMIT_NOFILE, &few);
	if (spare)
		close(0);
	for (uint64_t token = 1; token <= 2; token++)
		if (lab->executor->ops->wait(lab->executor, lab->arena, 10000, &c, &err) != 0 ||
		    c.token != token)
			_exit(2);
	if (c.status != EXEC_BROKEN || !strstr(c.err.cause, "did not come through"))
		_exit(3);
	if (spare && fcntl(0, F_GETFD) >= 0)
		_exit(4);
	setrlimit(RLIMIT_NOFILE, &limit);
	if (!is_gone_within("78.5", 1000))
		_exit(5);
	lab->executor->ops->free(lab->executor);
	runner_server_stop(options.server);
	_exit(0);
}

static void a_runner_out_of_sight_is_ended(void **state)
{
	for (int spare = 0; spare < 2; spare++) {
		struct lab other = *(struct lab *)*state;
		pid_t pid = fork();
		int status;

		if (pid == 0)
			without_descriptors(&other, spare);
		waitpid(pid, &status, 0);
		assert_int_equal(status, 0);
	}
}

static size_t shown_environment(pid_t pid)
{
	_cleanup_free_ char *path = str_fmt("/proc/%d/environ", (int)pid);
	_cleanup_buf_ struct buf text = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;
	size_t shown = 0;

	must(fs_read(AT_FDCWD, path, &text, &err), &err);
	for (size_t i = 0; i < text.n; i++)
		shown += text.p[i] != '\0';
	return shown;
}

/* Whoever may look at a runner finds nothing of what Kiln was started with: no key, no password. */
static void environment_is_forgotten(void **state)
{
	struct lab *lab = *state;
	struct action a = { .argv = LAB_LIST("sleep", "77.5"), .n_argv = 2 };
	struct exec_completion c;
	pid_t server, runner;

	lab_submit(lab, &a, 0, 6);
	assert_comes("77.5");
	runner = the_runner(&server);
	assert_true(shown_environment(getpid()) > 0);
	assert_int_equal(shown_environment(server), 0);
	assert_int_equal(shown_environment(runner), 0);
	lab->executor->ops->cancel(lab->executor);
	lab_wait(lab, &c);
}

/* A killed server is an error, not a hang. */
static void dead_server_is_told(void **state)
{
	struct lab *lab = *state;
	struct exec_completion c;
	struct executor_local_options options = { .store_dir = lab->dir,
		                                  .images_dir = lab->images,
		                                  .runtime = lab->runtime,
		                                  .userns_fd = lab->userns_fd,
		                                  .slots = 2 };
	struct lab other = *lab;
	struct action a = { .argv = LAB_LIST("true"), .n_argv = 1 };
	struct err err = ERR_INIT;

	assert_int_equal(runner_server_start(&other.server, &err), 0);
	options.server = other.server;
	assert_int_equal(executor_local_new(&options, &other.executor, &err), 0);
	kill(youngest_child(), SIGKILL);
	lab_submit(&other, &a, 0, 9);
	lab_wait(&other, &c);
	assert_int_equal(c.status, EXEC_BROKEN);
	assert_int_equal(c.token, 9);
	assert_non_null(strstr(c.err.cause, "server"));
	other.executor->ops->free(other.executor);
	runner_server_stop(other.server);
}

/* In a process of its own, because fail points are read by whoever passes them: what became of one
 * action. What the error said must have `said` in it. */
static enum exec_status status_with(struct lab *lab, const char *failpoint, const char *said)
{
	struct executor_local_options options = { .store_dir = lab->dir,
		                                  .images_dir = lab->images,
		                                  .runtime = lab->runtime,
		                                  .userns_fd = lab->userns_fd,
		                                  .slots = 2 };
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct action a = { .argv = LAB_LIST("sh", "-c", "echo said; sleep 0.1"),
			            .n_argv = 3 };
		struct exec_completion c = { .status = EXEC_BROKEN };
		struct lab other = *lab;
		struct err err = ERR_INIT;

		setenv("KILN_FAILPOINT", failpoint, 1);
		failpoint_arm();
		if (runner_server_start(&other.server, &err) < 0)
			_exit(99);
		options.server = other.server;
		if (executor_local_new(&options, &other.executor, &err) < 0)
			_exit(98);
		lab_submit(&other, &a, 0, 1);
		if (other.executor->ops->wait(other.executor, other.arena, 10000, &c, &err) != 0)
			_exit(97);
		other.executor->ops->free(other.executor);
		runner_server_stop(other.server);
		if (c.status == EXEC_BROKEN && !strstr(c.err.cause, said))
			_exit(96);
		_exit(c.err.cause[0] == '\0' && c.status == EXEC_BROKEN ? 95 : (int)c.status);
	}
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status));
	return (enum exec_status)WEXITSTATUS(status);
}

/* In a process of its own. 0: the second action gave what it gives, although the first one's answer was lost. */
static int run_two_with_a_lost_answer(const struct lab *lab)
{
	struct executor_local_options options = { .store_dir = lab->dir,
		                                  .images_dir = lab->images,
		                                  .runtime = lab->runtime,
		                                  .userns_fd = lab->userns_fd,
		                                  .slots = 1 };
	struct action one = { .argv = LAB_LIST("sh", "-c", "echo one"), .n_argv = 3 };
	struct action two = { .argv = LAB_LIST("sh", "-c", "echo two"), .n_argv = 3 };
	struct exec_completion c;
	struct lab other = *lab;
	struct err err = ERR_INIT;
	int code = 0;

	setenv("KILN_FAILPOINT", "answer-receive:1", 1);
	failpoint_arm();
	if (runner_server_start(&other.server, &err) < 0)
		return 99;
	options.server = other.server;
	if (executor_local_new(&options, &other.executor, &err) < 0)
		return 98;
	lab_submit(&other, &one, 0, 1);
	if (other.executor->ops->wait(other.executor, other.arena, 10000, &c, &err) != 0 ||
	    c.status != EXEC_BROKEN)
		return 97;
	lab_submit(&other, &two, 0, 2);
	if (other.executor->ops->wait(other.executor, other.arena, 10000, &c, &err) != 0 ||
	    c.status != EXEC_OK || c.token != 2)
		code = 96;
	else if (strcmp(lab_text(&other, &c.result.out), "two\n") != 0)
		code = 95;
	other.executor->ops->free(other.executor);
	runner_server_stop(other.server);
	return code;
}

static void a_lost_answer_is_not_taken_for_the_next(void **state)
{
	pid_t pid;
	int status;

	sweep(*state); /* what the killed runners of other tests left */
	pid = fork();
	if (pid == 0)
		_exit(run_two_with_a_lost_answer(*state));
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	lab_assert_no_work(*state);
}

static void each_failure_is_an_error(void **state)
{
	static const char *const points[] = { "work-folder", "stage-fork", "stage-stream",
		                              "runner-fork", "runner-reply" };
	struct lab *lab = *state;

	sweep(lab); /* what the killed runners of other tests left */
	for (size_t i = 0; i < ARRAY_LEN(points); i++) {
		_cleanup_free_ char *fail = str_fmt("%s:1", points[i]);
		_cleanup_free_ char *killed = str_fmt("%s:1:kill", points[i]);

		assert_int_equal(status_with(lab, fail, ""), EXEC_BROKEN);
		lab_assert_no_work(lab);
		if (strcmp(points[i], "runner-fork") == 0)
			continue; /* that kills the server: dead_server_is_told */
		assert_int_equal(status_with(lab, killed, ""), EXEC_BROKEN);
		sweep(lab);
	}
	assert_int_equal(status_with(lab, "stage-enter:1:kill",
	                             "runtime was killed by signal 9 before it ran sh"),
	                 EXEC_BROKEN);
	sweep(lab);
	assert_int_equal(status_with(lab, "nothing:1", ""), EXEC_OK);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timeout_kills_all),
		cmocka_unit_test(daemons_end_with_the_stage),
		cmocka_unit_test(cancel_ends_everything),
		cmocka_unit_test(slots_queue),
		cmocka_unit_test(dies_with_main),
		cmocka_unit_test(killed_runner_leaves_nothing),
		cmocka_unit_test(killed_server_leaves_nothing),
		cmocka_unit_test(killed_runner_is_told),
		cmocka_unit_test(environment_is_forgotten),
		cmocka_unit_test(a_runner_out_of_sight_is_ended),
		cmocka_unit_test(dead_server_is_told),
		cmocka_unit_test(a_lost_answer_is_not_taken_for_the_next),
		cmocka_unit_test(each_failure_is_an_error),
	};

	return cmocka_run_group_tests_name("exec/ends", tests, lab_setup, lab_teardown);
}

int main(void)
{
	return lab_main(run);
}
