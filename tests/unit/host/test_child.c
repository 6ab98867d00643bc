/* Spawning: streams, limits, timeouts, what a child inherits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "host/child.h"
#include "host/clock.h"
#include "host/process.h"

#define ARGV(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void streams_and_status(void **state)
{
	struct child_spec spec = { .argv = ARGV("sh", "-c", "cat; echo two >&2; exit 3"),
		                   .input = "one",
		                   .input_n = 3 };
	_cleanup_child_result_ struct child_result r = { 0 };
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(child_run(&spec, &r, &err), 0);
	assert_int_equal(r.exit_code, 3);
	assert_int_equal(r.signal, 0);
	assert_string_equal(buf_text(&r.out), "one");
	assert_string_equal(buf_text(&r.log), "two\n");
	assert_true(r.wall_us > 0 && r.peak_bytes > 0);
	assert_int_equal(child_fail(&spec, &r, &err), -1);
	assert_non_null(strstr(err.cause, "status 3"));
	assert_non_null(strstr(err.cause, "two"));
}

static void signal_is_told(void **state)
{
	struct child_spec spec = { .argv = ARGV("sh", "-c", "kill -9 $$") };
	_cleanup_child_result_ struct child_result r = { 0 };
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(child_run(&spec, &r, &err), 0);
	assert_int_equal(r.signal, SIGKILL);
	assert_int_equal(r.exit_code, 128 + SIGKILL);
	assert_int_equal(child_run_ok(&spec, &(struct child_result){ 0 }, &err), -1);
	assert_non_null(strstr(err.cause, "killed by signal 9"));
}

static void missing_program(void **state)
{
	struct child_spec spec = { .argv = ARGV("no-such-program-here") };
	struct child_result r;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(child_run(&spec, &r, &err), -1);
	assert_int_equal(err.code, ERR_MACHINE);
	assert_non_null(strstr(err.cause, "cannot find the program no-such-program-here"));
}

static void missing_folder(void **state)
{
	struct child_spec spec = { .argv = ARGV("true"), .dir = "/no/such/folder" };
	struct child_result r;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(child_run(&spec, &r, &err), -1);
	assert_non_null(strstr(err.cause, "/no/such/folder"));
}

static void timeout_kills(void **state)
{
	struct child_spec spec = { .argv = ARGV("sh", "-c", "sleep 60 & sleep 60"),
		                   .timeout_ms = 200 };
	struct child_result r;
	struct err err = ERR_INIT;
	int64_t began = clock_mono_us();

	(void)state;
	assert_int_equal(child_run(&spec, &r, &err), -1);
	assert_true(clock_mono_us() - began < 5000000);
	assert_non_null(strstr(err.cause, "did not end"));
}

static void background_does_not_hold(void **state)
{
	struct child_spec spec = { .argv = ARGV("sh", "-c", "echo a; sleep 30 & exit 0") };
	_cleanup_child_result_ struct child_result r = { 0 };
	struct err err = ERR_INIT;
	int64_t began = clock_mono_us();

	(void)state;
	assert_int_equal(child_run(&spec, &r, &err), 0);
	assert_true(clock_mono_us() - began < 5000000);
	assert_string_equal(buf_text(&r.out), "a\n");
}

static void limits(void **state)
{
	struct child_spec spec = { .argv = ARGV("sh", "-c", "yes"), .out_limit = 100000 };
	struct child_spec loud = { .argv = ARGV("sh", "-c",
		                                "i=0; while [ $i -lt 3000 ]; do echo line $i "
		                                ">&2; i=$((i+1)); done; echo end >&2"),
		                   .log_limit = 4096 };
	_cleanup_child_result_ struct child_result r = { 0 };
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(child_run(&spec, &r, &err), -1);
	assert_non_null(strstr(err.cause, "more than 100000 bytes"));
	err_clear(&err);
	assert_int_equal(child_run(&loud, &r, &err), 0);
	assert_true(r.log.n <= 4096);
	assert_string_equal(r.log.p + r.log.n - 4, "end\n");
}

/* Whoever is started by default does not get the user's secrets. */
static void secrets_are_not_passed(void **state)
{
	const struct child_spec spec = { .argv = ARGV("env") };
	struct child_result result = { 0 };
	struct err err = ERR_INIT;

	(void)state;
	setenv("KILN_KEY_PASSPHRASE", "secret-phrase", 1);
	setenv("GITHUB_TOKEN", "secret-token", 1);
	setenv("https_proxy", "http://proxy.example:1", 1);
	assert_int_equal(child_run(&spec, &result, &err), 0);
	unsetenv("KILN_KEY_PASSPHRASE");
	unsetenv("GITHUB_TOKEN");
	unsetenv("https_proxy");
	assert_null(strstr(buf_text(&result.out), "secret"));
	assert_non_null(strstr(buf_text(&result.out), "https_proxy=http://proxy.example:1\n"));
	assert_non_null(strstr(buf_text(&result.out), "PATH="));
	child_result_deinit(&result);
}

static void environment(void **state)
{
	struct child_spec spec = { .argv = ARGV("sh", "-c", "echo $A $AB $B"),
		                   .env = ARGV("A=1", "AB=2", "B=3"),
		                   .set_env = ARGV("A=4") };
	_cleanup_child_result_ struct child_result r = { 0 };
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(child_run_ok(&spec, &r, &err), 0);
	assert_string_equal(buf_text(&r.out), "4 2 3\n");
}

/* Descriptors leak unless named; ignored signals and the mask are reset. */
static void inherits_nothing(void **state)
{
	int leak = dup(1), kept = dup(1);
	_cleanup_free_ char *script =
		str_fmt("[ ! -e /proc/self/fd/%d ] && [ -e /proc/self/fd/%d ] "
	                "&& grep -E 'Sig(Ign|Blk)' /proc/self/status",
	                leak, kept);
	struct child_spec spec = { .argv = ARGV("sh", "-c", script),
		                   .keep_fds = &kept,
		                   .n_keep_fds = 1 };
	_cleanup_child_result_ struct child_result r = { 0 };
	struct err err = ERR_INIT;
	sigset_t all, old;

	(void)state;
	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	assert_int_equal(child_run_ok(&spec, &r, &err), 0);
	sigprocmask(SIG_SETMASK, &old, NULL);
	signal(SIGPIPE, SIG_DFL);
	assert_string_equal(buf_text(&r.out), "SigBlk:\t0000000000000000\n"
	                                      "SigIgn:\t0000000000000000\n");
	close(leak);
	close(kept);
}

static void dies_with_parent(void **state)
{
	int ends[2];
	pid_t middle, pid = 0;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	middle = fork();
	if (middle == 0) {
		struct child_spec spec = { .argv = ARGV("sleep", "60") };
		struct child child;
		struct err err = ERR_INIT;

		if (child_spawn(&spec, &child, &err) == 0)
			(void)!write(ends[1], &child.pid, sizeof(child.pid));
		_exit(0);
	}
	assert_int_equal(read(ends[0], &pid, sizeof(pid)), sizeof(pid));
	waitpid(middle, NULL, 0);
	for (int i = 0; i < 100 && kill(pid, 0) == 0; i++) {
		char path[64];
		char stat[256] = "";
		int fd;

		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		fd = open(path, O_RDONLY);
		if (fd < 0 || read(fd, stat, sizeof(stat) - 1) <= 0 || strstr(stat, ") Z"))
			break;
		close(fd);
		usleep(10000);
		assert_true(i < 99);
	}
	close(ends[0]);
	close(ends[1]);
}

/* Started with 0, 1 and 2 closed: no file may get their numbers, and writing results must fail. */
static void standard_numbers_are_taken(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		char byte;
		int fd;

		close(0);
		close(1);
		close(2);
		process_fill_standard_fds();
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (fd < 3)
			_exit(1);
		if (write(1, "x", 1) >= 0 || read(0, &byte, 1) >= 0)
			_exit(2);
		_exit(write(2, "x", 1) == 1 ? 0 : 3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Time passes also while there is always something to read. */
static void a_talker_is_out_of_time_too(void **state)
{
	struct child_spec spec = { .argv = ARGV("sh", "-c", "yes >&2"), .timeout_ms = 300 };
	_cleanup_child_result_ struct child_result r = { 0 };
	struct err err = ERR_INIT;

	(void)state;
	alarm(20);
	assert_int_equal(child_run(&spec, &r, &err), -1);
	alarm(0);
	assert_int_equal(err.code, ERR_IO);
	assert_non_null(strstr(err.cause, "within 0.3 seconds"));
}

/* A key of the session that somebody logged in to is not found in a new one. */
static void session_keys_are_left_behind(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 ||
		    syscall(SYS_add_key, "user", "kiln-test", "x", 1, KEY_SPEC_SESSION_KEYRING) < 0)
			_exit(77); /* no keyrings here */
		if (syscall(SYS_request_key, "user", "kiln-test", NULL, 0) < 0)
			_exit(1);
		process_new_keyring();
		_exit(syscall(SYS_request_key, "user", "kiln-test", NULL, 0) < 0 ? 0 : 2);
	}
	waitpid(pid, &status, 0);
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(streams_and_status),
		cmocka_unit_test(signal_is_told),
		cmocka_unit_test(missing_program),
		cmocka_unit_test(missing_folder),
		cmocka_unit_test(timeout_kills),
		cmocka_unit_test(background_does_not_hold),
		cmocka_unit_test(limits),
		cmocka_unit_test(environment),
		cmocka_unit_test(secrets_are_not_passed),
		cmocka_unit_test(inherits_nothing),
		cmocka_unit_test(dies_with_parent),
		cmocka_unit_test(standard_numbers_are_taken),
		cmocka_unit_test(session_keys_are_left_behind),
		cmocka_unit_test(a_talker_is_out_of_time_too),
	};

	return cmocka_run_group_tests_name("host/child", tests, NULL, NULL);
}
