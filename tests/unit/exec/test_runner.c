/*
 * One runner serves one stage after the other, as long as they end well: what stays the same for all of
 * them, what does not pass from one to the next, and when there is another runner.
 */
#include "unit/support.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/path.h"
#include "base/str.h"
#include "fakes/lab.h"
#include "host/clock.h"
#include "host/fs.h"

enum { RUNNERS_MOST = 8 };

/* The children of the runner server. */
static size_t runners_of(struct runner_server *server, pid_t ret[RUNNERS_MOST])
{
	const int pid = (int)runner_server_pid(server);
	_cleanup_free_ char *path = str_fmt("/proc/%d/task/%d/children", pid, pid);
	FILE *children = fopen(path, "re");
	size_t n = 0;

	assert_non_null(children);
	while (n < RUNNERS_MOST && fscanf(children, "%d", &ret[n]) == 1)
		n++;
	fclose(children);
	return n;
}

/* Those there are when there are so many: one that goes on is there at once, others have to end first. */
static void await_runners(struct lab *lab, size_t n, pid_t ret[RUNNERS_MOST])
{
	const int64_t deadline = clock_mono_us() + 10000000;

	while (runners_of(lab->server, ret) != n) {
		assert_true(clock_mono_us() < deadline);
		usleep(1000);
	}
}

static pid_t the_runner(struct lab *lab)
{
	pid_t runners[RUNNERS_MOST];

	await_runners(lab, 1, runners);
	return runners[0];
}

static void assert_no_runner(struct lab *lab)
{
	pid_t runners[RUNNERS_MOST];

	await_runners(lab, 0, runners);
}

static size_t open_files(pid_t pid)
{
	_cleanup_free_ char *path = str_fmt("/proc/%d/fd", (int)pid);
	struct fs_names names = { 0 };
	struct err err = ERR_INIT;
	size_t n;

	must(fs_list(AT_FDCWD, path, &names, &err), &err);
	n = names.names.n;
	fs_names_deinit(&names);
	return n;
}

/* A process that waits is in poll(2), and its reply is closed by then. */
static void wait_until_idle(pid_t pid)
{
	_cleanup_free_ char *path = str_fmt("/proc/%d/stat", (int)pid);
	const int64_t deadline = clock_mono_us() + 10000000;
	char text[512];

	do {
		FILE *stat = fopen(path, "re");

		assert_non_null(stat);
		assert_non_null(fgets(text, sizeof(text), stat));
		fclose(stat);
		assert_true(clock_mono_us() < deadline);
		usleep(1000);
	} while (!strstr(text, ") S "));
}

static void one_serves_many(void **state)
{
	struct lab *lab = *state;
	size_t files;
	pid_t first;

	lab_out(lab, "echo first");
	first = the_runner(lab);
	wait_until_idle(first);
	files = open_files(first);
	for (int i = 0; i < 12; i++) {
		_cleanup_free_ char *script = str_fmt("echo %d; echo log >&2; touch a", i);
		_cleanup_free_ char *text = str_fmt("%d\n", i);

		assert_string_equal(lab_out(lab, script), text);
	}
	assert_int_equal(the_runner(lab), first);
	wait_until_idle(first);
	assert_int_equal(open_files(first), files);
	lab_assert_no_work(lab);
}

static void nothing_passes_to_the_next(void **state)
{
	static const char leave[] =
		"umask 077; mkdir -p d/e; for at in /build/d/e /tmp /dev/shm; do echo x >$at/left; done; "
		"chmod 000 /build/d; export LEFT=1; ulimit -n 9; (sleep 83.5 &) ; trap '' TERM";
	static const char look[] =
		"ls -A /build /tmp /dev/shm; umask; echo ${LEFT-none}; ulimit -n; echo "
		"/proc/[0-9]* /proc/self/fd/*";
	struct lab *lab = *state;
	const char *before, *after;
	pid_t first;

	before = lab_out(lab, look);
	first = the_runner(lab);
	lab_out(lab, leave);
	after = lab_out(lab, look);
	assert_int_equal(the_runner(lab), first);
	assert_string_equal(after, before);
	assert_false(lab_is_running("83.5"));
}

static void one_whose_stage_failed_ends(void **state)
{
	struct lab *lab = *state;
	struct exec_completion c;

	lab_out(lab, "true");
	the_runner(lab);
	lab_run(lab, "exit 3", &c);
	assert_int_equal(c.status, EXEC_FAILED);
	assert_no_runner(lab);
	assert_string_equal(lab_out(lab, "echo on"), "on\n");
	the_runner(lab);
}

static void one_that_was_killed_is_replaced(void **state)
{
	struct lab *lab = *state;
	pid_t first;

	lab_out(lab, "true");
	first = the_runner(lab);
	kill(first, SIGKILL);
	assert_no_runner(lab);
	assert_string_equal(lab_out(lab, "echo on"), "on\n");
	assert_int_not_equal(the_runner(lab), first);
}

/* Asked to end while it waits, it does, and takes its place with it. */
static void one_that_waits_ends_when_told(void **state)
{
	struct lab *lab = *state;
	_cleanup_free_ char *work = path_join(lab->dir, "work");
	_cleanup_free_ char *place = NULL;
	pid_t first;

	lab_out(lab, "true");
	first = the_runner(lab);
	wait_until_idle(first);
	place = str_fmt("%s/%d-0", work, (int)first);
	assert_int_equal(access(place, F_OK), 0);
	kill(first, SIGTERM);
	assert_no_runner(lab);
	assert_int_equal(access(place, F_OK), -1);
}

static void two_at_once_are_two(void **state)
{
	struct action a = { .argv = LAB_LIST("sleep", "0.2"), .n_argv = 2 };
	struct lab *lab = *state;
	struct exec_completion c;
	pid_t runners[RUNNERS_MOST];

	for (int round = 0; round < 2; round++) {
		lab_submit(lab, &a, 0, 1);
		lab_submit(lab, &a, 0, 2);
		for (int i = 0; i < 2; i++) {
			lab_wait(lab, &c);
			assert_int_equal(c.status, EXEC_OK);
		}
	}
	assert_int_equal(runners_of(lab->server, runners), 2);
}

static void other_executor(struct lab *lab, const char *dir, bool paranoid, struct lab *ret)
{
	struct executor_local_options options = { .server = lab->server,
		                                  .store_dir = dir,
		                                  .images_dir = lab->images,
		                                  .runtime = lab->runtime,
		                                  .userns_fd = lab->userns_fd,
		                                  .paranoid = paranoid,
		                                  .slots = 1 };
	struct err err = ERR_INIT;

	*ret = *lab;
	must(blobs_open(dir, &ret->blobs, &err), &err);
	must(executor_local_new(&options, &ret->executor, &err), &err);
}

static void other_executor_deinit(struct lab *other)
{
	other->executor->ops->free(other->executor);
	blobs_free(other->blobs);
}

/* What a runner has open is of one store. */
static void another_store_is_another(void **state)
{
	static const char script[] = "head -c 20000000 /dev/zero >out; echo from here";
	struct action_output outputs[] = { { .path = "out" } };
	struct action a = { .argv = LAB_LIST("sh", "-c", script),
		            .n_argv = 3,
		            .outputs = outputs,
		            .n_outputs = 1 };
	struct lab *lab = *state, other;
	_cleanup_free_ char *dir = path_join(lab->dir, "other");
	struct err err = ERR_INIT;

	must(fs_make_dirs(AT_FDCWD, dir, 0700, &err), &err);
	other_executor(lab, dir, false, &other);
	for (int i = 0; i < 2; i++) {
		struct lab *labs[] = { lab, &other };

		for (size_t k = 0; k < ARRAY_LEN(labs); k++) {
			struct exec_completion c;

			lab_carry_out(labs[k], &a, &c);
			assert_int_equal(c.status, EXEC_OK);
			assert_true(blobs_has(labs[k]->blobs, &c.result.outputs[0].node->ref));
		}
	}
	other_executor_deinit(&other);
}

/* Neither before nor after. */
static void whoever_is_paranoid_gets_a_new_one(void **state)
{
	struct lab *lab = *state, other;
	pid_t runners[RUNNERS_MOST], first;

	lab_out(lab, "true");
	first = the_runner(lab);
	wait_until_idle(first);
	other_executor(lab, lab->dir, true, &other);
	assert_string_equal(lab_out(&other, "echo a"), "a\n");
	assert_int_equal(the_runner(lab), first); /* the other one has ended */
	wait_until_idle(first);
	assert_int_equal(runners_of(lab->server, runners), 1);
	other_executor_deinit(&other);
}

/* What it had mapped for a stage is not in what the next one is said to have had. */
static void peaks_are_each_stages_own(void **state)
{
	static const char *const reject[] = { "nobody says that" };
	struct action large = { .argv = LAB_LIST("head", "-c", "100000000", "/dev/zero"),
		                .n_argv = 4,
		                .reject = (const char **)reject,
		                .n_reject = 1 };
	struct lab *lab = *state;
	struct exec_completion before, c;
	pid_t first;

	lab_run(lab, "true", &before);
	first = the_runner(lab);
	lab_carry_out(lab, &large, &c);
	assert_int_equal(c.status, EXEC_OK);
	lab_run(lab, "true", &c);
	assert_int_equal(the_runner(lab), first);
	assert_in_range(c.result.peak_bytes, 1, before.result.peak_bytes + (8 << 20));
}

/* Told to end and given a stage at the same time, it carries that out. */
static void nothing_is_lost_between_two(void **state)
{
	struct lab *lab = *state;

	for (int i = 0; i < 40; i++) {
		pid_t runner;

		lab_out(lab, "true");
		runner = the_runner(lab);
		wait_until_idle(runner);
		kill(runner, SIGTERM);
		usleep((useconds_t)(i % 8 * 50));
		assert_string_equal(lab_out(lab, "echo done"), "done\n");
	}
}

/* A cancel of what it was given and has not begun is of that, and it is tidy afterwards. */
static void a_cancel_finds_what_was_not_begun(void **state)
{
	struct action a = { .argv = LAB_LIST("sleep", "84.5"), .n_argv = 2 };
	struct lab *lab = *state;
	struct exec_completion c;
	pid_t runner;

	lab_out(lab, "true");
	runner = the_runner(lab);
	wait_until_idle(runner);
	kill(runner, SIGSTOP);
	lab_submit(lab, &a, 0, 1);
	lab->executor->ops->cancel(lab->executor);
	kill(runner, SIGCONT);
	lab_wait(lab, &c);
	assert_int_equal(c.status, EXEC_CANCELLED);
	assert_no_runner(lab);
	lab_assert_no_work(lab);
}

/* One that has answered and was given the next before its answer is read, told of both. */
static void the_newest_cancel_is_heard(void **state)
{
	struct action first = { .argv = LAB_LIST("true"), .n_argv = 1 };
	struct action second = { .argv = LAB_LIST("sleep", "85.5"), .n_argv = 2 };
	struct lab *lab = *state;
	struct exec_completion c;
	struct pollfd answered;
	pid_t runner;

	lab_out(lab, "true");
	runner = the_runner(lab);
	wait_until_idle(runner);
	lab_submit(lab, &first, 0, 1);
	answered = (struct pollfd){ lab->executor->ops->poll_fd(lab->executor), POLLIN, 0 };
	assert_int_equal(poll(&answered, 1, 10000), 1);
	wait_until_idle(runner);
	kill(runner, SIGSTOP);
	lab_submit(lab, &second, 0, 2);
	lab->executor->ops->cancel(lab->executor);
	kill(runner, SIGCONT);
	lab_wait(lab, &c);
	assert_int_equal(c.token, 1);
	lab_wait(lab, &c);
	assert_int_equal(c.status, EXEC_CANCELLED);
	assert_no_runner(lab);
	lab_assert_no_work(lab);
}

/* Another cancel gives what does not end no more time. */
static void cancels_do_not_put_off_the_end(void **state)
{
	struct action a = { .argv = LAB_LIST("sleep", "86.5"), .n_argv = 2 };
	const int64_t deadline = clock_mono_us() + 10000000;
	struct lab *lab = *state;
	struct exec_completion c;
	struct err err = ERR_INIT;
	pid_t runner;

	lab_submit(lab, &a, 0, 1);
	runner = the_runner(lab);
	kill(runner, SIGSTOP);
	do {
		assert_true(clock_mono_us() < deadline);
		lab->executor->ops->cancel(lab->executor);
	} while (lab->executor->ops->wait(lab->executor, lab->arena, 100, &c, &err) != 0);
	assert_int_equal(c.status, EXEC_CANCELLED);
}

/* A SIGTERM that is not Kiln's cancels nothing: what it ended is not done, and nobody wanted that. */
static void a_sigterm_of_somebody_else_is_told(void **state)
{
	struct action a = { .argv = LAB_LIST("sleep", "87.5"), .n_argv = 2 };
	struct lab *lab = *state;
	struct exec_completion c;

	lab_submit(lab, &a, 0, 1);
	while (!lab_is_running("87.5"))
		usleep(1000);
	kill(the_runner(lab), SIGTERM);
	lab_wait(lab, &c);
	assert_int_equal(c.status, EXEC_BROKEN);
	assert_contains(c.err.cause, "was told to end (SIGTERM), and not by Kiln");
	assert_false(lab_is_running("87.5"));
}

/* A store that this one's mounts would lie over, and folders that are others by now under the same name. */
static void mounts_are_of_the_store_at_hand(void **state)
{
	struct action builtin = { .builtin = "smoke", .argv = LAB_LIST("smoke"), .n_argv = 1 };
	struct lab *lab = *state, other;
	_cleanup_free_ char *dir = NULL;
	struct exec_completion c;
	struct err err = ERR_INIT;
	char covered[] = "/mnt/kiln-test-XXXXXX";
	const bool root = mkdtemp(covered);

	dir = root ? str_dup(covered) : path_join(lab->dir, "other");
	must(fs_make_dirs(AT_FDCWD, dir, 0700, &err), &err);
	other_executor(lab, dir, false, &other);
	for (int i = 0; i < 2; i++) {
		assert_string_equal(lab_out(lab, "echo here"), "here\n");
		assert_string_equal(lab_out(&other, "echo there"), "there\n");
		assert_string_equal(lab_out(lab, "echo here"), "here\n");
		/* A builtin, whatever comes of it, stages nothing. */
		lab_submit(&other, &builtin, 0, 1);
		lab_wait(&other, &c);
	}
	other_executor_deinit(&other);
	if (root)
		must(fs_remove_tree(AT_FDCWD, covered, &err), &err);
}

static int a_lab_without_runners(void **state)
{
	pid_t runners[RUNNERS_MOST];
	struct lab *lab;
	size_t n;

	if (lab_setup(state) < 0)
		return -1;
	lab = *state;
	n = runners_of(lab->server, runners);
	for (size_t i = 0; i < n; i++)
		kill(runners[i], SIGTERM);
	assert_no_runner(lab);
	return 0;
}

#define with_lab(test) cmocka_unit_test_setup_teardown(test, a_lab_without_runners, lab_teardown)

static int run(void)
{
	const struct CMUnitTest tests[] = {
		with_lab(one_serves_many),
		with_lab(nothing_passes_to_the_next),
		with_lab(one_whose_stage_failed_ends),
		with_lab(one_that_was_killed_is_replaced),
		with_lab(one_that_waits_ends_when_told),
		with_lab(two_at_once_are_two),
		with_lab(another_store_is_another),
		with_lab(whoever_is_paranoid_gets_a_new_one),
		with_lab(peaks_are_each_stages_own),
		with_lab(nothing_is_lost_between_two),
		with_lab(a_cancel_finds_what_was_not_begun),
		with_lab(the_newest_cancel_is_heard),
		with_lab(cancels_do_not_put_off_the_end),
		with_lab(a_sigterm_of_somebody_else_is_told),
		with_lab(mounts_are_of_the_store_at_hand),
	};

	return cmocka_run_group_tests_name("exec/runner", tests, NULL, NULL);
}

int main(void)
{
	return lab_main(run);
}
