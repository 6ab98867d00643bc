/*
 * Running real actions in real sandboxes: what the stage sees, how failures are told, and what cannot
 * be reached from inside. Runs as whoever calls it: root or a plain user.
 */
#include "unit/support.h"

#include <sys/stat.h>

#include "base/array.h"
#include "base/path.h"
#include "base/str.h"
#include "fakes/lab.h"

static void runs_and_takes_outputs(void **state)
{
	struct lab *lab = *state;
	struct lab_input inputs[] = { { "in/a.txt", "hello\n" } };
	struct action_output outputs[] = { { .path = "deep/er/out.txt" }, { .path = "tree" } };
	struct action action = {
		.argv = LAB_LIST("sh", "-c",
		                 "cat ../in/a.txt > ../deep/er/out.txt; mkdir ../tree; "
		                 "touch ../tree/x; chmod +x ../tree/x; echo said; echo logged >&2"),
		.n_argv = 3,
		.workdir = "sub/dir",
		.outputs = outputs,
		.n_outputs = 2,
	};
	struct exec_completion c;

	action.workdir = "sub";
	lab_compose(lab, inputs, 1, &action);
	lab_submit(lab, &action, 0, 42);
	lab_wait(lab, &c);
	if (c.status == EXEC_BROKEN)
		fail_msg("%s %s %s", c.err.cause, c.err.trail, c.err.hint);
	if (c.status != EXEC_OK)
		fail_msg("%s: %s", c.why, lab_text(lab, &c.result.log));
	assert_int_equal(c.token, 42);
	assert_int_equal(c.result.n_outputs, 2);
	assert_string_equal(c.result.outputs[0].path, "deep/er/out.txt");
	assert_string_equal(lab_text(lab, &c.result.outputs[0].node->ref), "hello\n");
	assert_int_equal(c.result.outputs[1].node->kind, NODE_DIR);
	/* Content alone counts: not empty files, folders, or what it printed. */
	assert_int_equal(c.bytes_in, strlen("hello\n"));
	assert_int_equal(c.bytes_out, strlen("hello\n"));
	assert_string_equal(lab_text(lab, &c.result.out), "said\n");
	assert_string_equal(lab_text(lab, &c.result.log), "logged\n");
	assert_true(c.result.wall_us > 0 && c.result.started_us > 0 && c.result.peak_bytes > 0);
	lab_assert_no_work(lab);
}

static void sees_one_world(void **state)
{
	struct lab *lab = *state;
	struct action env = { .argv = LAB_LIST("env"), .n_argv = 1 };
	struct exec_completion c;

	assert_string_equal(lab_out(lab, "pwd; id -u; id -g; id -un; umask; uname -n; echo $HOME; "
	                                 "cat /etc/hostname"),
	                    "/build\n1000\n1000\nbuilder\n0022\nbuilder\n/tmp\nbuilder\n");
	lab_submit(lab, &env, 0, 1);
	lab_wait(lab, &c);
	assert_string_equal(lab_text(lab, &c.result.out),
	                    "HOME=/tmp\nKILN_JOBS=3\nMAKEFLAGS= -j3\nPATH=/usr/bin:/bin\n"
	                    "SOURCE_DATE_EPOCH=1700000000\nPWD=/build\n");
	assert_string_equal(
		lab_out(lab, "ulimit -n; ulimit -c; ulimit -s; grep -c . /proc/net/dev"),
		"4096\n0\n8192\n3\n");
	assert_string_equal(lab_out(lab, "stat -c %Y /build; echo x > /tmp/f; echo x >/dev/shm/f; "
	                                 "cat /tmp/f; echo again > /dev/stderr"),
	                    "1700000000\nx\n");
	assert_string_equal(lab_out(lab, "grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status"),
	                    "CapEff:\t0000000000000000\nCapBnd:\t0000000000000000\n"
	                    "NoNewPrivs:\t1\n");
	/* Standard streams, and the folder that ls reads. */
	assert_string_equal(lab_out(lab, "ls /proc/self/fd | cat; exec ls -d /proc/2"),
	                    "0\n1\n2\n3\n/proc/2\n");
}

/* The niceness that the engine asked for, of process and session alike, and of those that it starts;
 * the stage has a session of its own in any case, and no terminal. */
static void gives_way_when_asked(void **state)
{
	static const char script[] =
		"i=0; until grep -q 'nice '$0 /proc/self/autogroup || [ $((i += 1)) -gt 500 ]; do "
		"sleep 0.01; done; sed 's/.* nice/nice/' /proc/self/autogroup; "
		"sed 's/.*) //' /proc/self/stat | (read -r state parent group sid tty rest; "
		"echo $sid $tty; set -- $rest; echo ${12})";
	struct lab *lab = *state;
	struct exec_completion c;

	if (access("/proc/self/autogroup", F_OK) < 0)
		skip();
	for (int nice = 0; nice <= 10; nice += 10) {
		_cleanup_free_ char *value = str_fmt("%d", nice);
		_cleanup_free_ char *expected = str_fmt("nice %d\n1 0\n%d\n", nice, nice);
		struct action a = { .argv = LAB_LIST("sh", "-c", script, value), .n_argv = 4 };

		lab->nice = nice;
		lab_submit(lab, &a, 30000, 1);
		lab->nice = 0;
		lab_wait(lab, &c);
		if (c.status != EXEC_OK)
			fail_msg("%s: %s", c.why, lab_text(lab, &c.result.log));
		assert_string_equal(lab_text(lab, &c.result.out), expected);
	}
}

/* Also of the folders that are made for the working folder and for outputs, and around them. */
static void every_folder_has_the_epoch(void **state)
{
	struct lab *lab = *state;
	struct lab_input inputs[] = { { "in/a.txt", "hello\n" } };
	struct action_output outputs[] = { { .path = "deep/er/out" }, { .path = "in/new/out" } };
	struct action action = { .argv = LAB_LIST("sh", "-c",
		                                  "stat -c %Y /build /build/work /build/work/here "
		                                  "/build/deep /build/deep/er /build/in "
		                                  "/build/in/new /build/in/a.txt; "
		                                  "touch /build/deep/er/out /build/in/new/out"),
		                 .n_argv = 3,
		                 .workdir = "work/here",
		                 .outputs = outputs,
		                 .n_outputs = 2 };
	struct exec_completion c;
	const char *text;

	lab_compose(lab, inputs, 1, &action);
	lab_submit(lab, &action, 0, 1);
	lab_wait(lab, &c);
	assert_int_equal(c.status, EXEC_OK);
	text = lab_text(lab, &c.result.out);
	assert_int_equal(strlen(text), 8 * strlen("1700000000\n"));
	for (; *text; text += strlen("1700000000\n"))
		assert_true(str_starts(text, "1700000000\n"));
}

static void fixed_addresses(void **state)
{
	struct lab *lab = *state;
	const char *first = NULL;

	for (int i = 0; i < 3; i++) {
		struct action action = { .argv = LAB_LIST("sh", "-c", "grep stack /proc/self/maps"),
			                 .n_argv = 3,
			                 .fixed_addresses = true };
		struct exec_completion c;

		lab_submit(lab, &action, 0, 1);
		lab_wait(lab, &c);
		assert_int_equal(c.status, EXEC_OK);
		if (first)
			assert_string_equal(lab_text(lab, &c.result.out), first);
		first = lab_text(lab, &c.result.out);
	}
}

static void escapes(void **state)
{
	static const char *const attempts[] = {
		"cat /etc/shadow",
		"echo x > /etc/passwd",
		"echo x > /bin/sh",
		"echo x > /new",
		"echo x > /dev/new",
		"echo x > /proc/sys/kernel/hostname",
		"ls /home/* /root/*",
		"ls /var/tmp/kiln-test-*",
		"cat /proc/1/root/etc/shadow",
		"head -c 1 /dev/sda /dev/vda /dev/mem",
		"echo > /dev/tcp/127.0.0.1/22",
		"kill -9 1 && sleep 1 && echo alive",
	};
	struct lab *lab = *state;

	for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
		struct exec_completion c;

		lab_run(lab, attempts[i], &c);
		if (c.status != EXEC_FAILED && strncmp(attempts[i], "kill", 4) != 0)
			fail_msg("%s: succeeded", attempts[i]);
	}
	/* A setuid bit set inside gains nothing, and is refused as an output. */
	assert_string_equal(lab_out(lab, "cat /bin/id > /build/id; chmod 4755 /build/id; "
	                                 "/build/id -u"),
	                    "1000\n");
}

static void tmp_is_bounded(void **state)
{
	struct lab *lab = *state;
	const char *text = lab_out(lab, "stat -f -c '%b %S' /tmp /dev/shm");
	long long blocks, size;

	for (; *text; text = strchr(text, '\n') + 1) {
		assert_int_equal(sscanf(text, "%lld %lld", &blocks, &size), 2);
		assert_true(blocks * size == 1LL << 30);
	}
}

static void failures_are_told(void **state)
{
	struct lab *lab = *state;
	struct exec_completion c;
	struct action_output missing = { .path = "nothing" };
	struct action_output hollow = { .path = "empty", .non_empty = true };
	struct action a = {
		.argv = LAB_LIST("true"), .n_argv = 1, .outputs = &missing, .n_outputs = 1
	};
	struct action b = {
		.argv = LAB_LIST("touch", "empty"), .n_argv = 2, .outputs = &hollow, .n_outputs = 1
	};
	struct action r = { .argv = LAB_LIST("sh", "-c", "echo 'a possibly stale profile here'"),
		            .n_argv = 3,
		            .reject = LAB_LIST("possibly stale"),
		            .n_reject = 1 };
	struct action n = { .argv = LAB_LIST("no-such-tool"), .n_argv = 1 };
	struct action e = { .argv = LAB_LIST(
				    "sh", "-c",
				    "mkdir -p src/bin; cat /bin/true >src/bin/tool; "
				    "cat /bin/true >libx.so.1; echo >script; "
				    "chmod +x script libx.so.1 src/bin/tool; ln -s / root"),
		            .n_argv = 3,
		            .outputs = &missing,
		            .n_outputs = 1 };

	lab_run(lab, "echo oops >&2; exit 7", &c);
	assert_int_equal(c.status, EXEC_FAILED);
	assert_string_equal(c.why, "exit status 7");
	assert_int_equal(c.result.exit_code, 7);
	assert_string_equal(lab_text(lab, &c.result.log), "oops\n");
	lab_run(lab, "kill -11 $$", &c);
	assert_non_null(strstr(c.why, "signal 11"));
	lab_submit(lab, &a, 0, 1);
	lab_wait(lab, &c);
	assert_string_equal(c.why, "the output nothing is missing");
	lab_submit(lab, &e, 0, 1);
	lab_wait(lab, &c);
	assert_string_equal(c.why, "the output nothing is missing; programs that the stage made: "
	                           "src/bin/tool");
	lab_submit(lab, &b, 0, 1);
	lab_wait(lab, &c);
	assert_int_equal(c.status, EXEC_FAILED);
	assert_non_null(strstr(c.why, "empty"));
	lab_submit(lab, &r, 0, 1);
	lab_wait(lab, &c);
	assert_int_equal(c.status, EXEC_FAILED);
	assert_non_null(strstr(c.why, "a possibly stale profile here"));
	lab_submit(lab, &n, 0, 1);
	lab_wait(lab, &c);
	assert_int_equal(c.status, EXEC_FAILED);
	assert_non_null(strstr(c.why, "no-such-tool"));
	lab_assert_no_work(lab);
}

static void accepted_exit_codes(void **state)
{
	struct lab *lab = *state;
	int code = 1;
	struct action a = { .argv = LAB_LIST("grep", "x", "/etc/hostname"),
		            .n_argv = 3,
		            .exit_codes = &code,
		            .n_exit_codes = 1 };
	struct exec_completion c;

	lab_submit(lab, &a, 0, 1);
	lab_wait(lab, &c);
	assert_int_equal(c.status, EXEC_OK);
	assert_int_equal(c.result.exit_code, 1);
}

static void missing_image_breaks(void **state)
{
	struct lab *lab = *state;
	struct digest real = lab->image;
	struct action a = { .argv = LAB_LIST("true"), .n_argv = 1 };
	struct exec_completion c;

	memset(lab->image.bytes, 0xcd, sizeof(lab->image.bytes));
	lab_submit(lab, &a, 0, 1);
	lab->image = real;
	lab_wait(lab, &c);
	assert_int_equal(c.status, EXEC_BROKEN);
	assert_non_null(strstr(c.err.cause, "image"));
}

static void odd_outputs_are_refused(void **state)
{
	static const char *const scripts[] = { "cat /bin/id > x; chmod 4755 x", "mkfifo x",
		                               "mkdir x; mkfifo x/y" };
	struct lab *lab = *state;
	struct action_output output = { .path = "x" };

	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		struct action a = { .argv = LAB_LIST("sh", "-c", scripts[i]),
			            .n_argv = 3,
			            .outputs = &output,
			            .n_outputs = 1 };
		struct exec_completion c;

		lab_submit(lab, &a, 0, 1);
		lab_wait(lab, &c);
		assert_int_equal(c.status, EXEC_FAILED);
		if (!strstr(c.why, "the output x cannot be taken"))
			fail_msg("%s: %s", scripts[i], c.why);
	}
}

/* Whoever held the other ends of the fifo was killed: nobody waits for him. */
static void a_job_server_that_is_gone(void **state)
{
	struct lab *lab = *state;
	struct action a = { .argv = LAB_LIST("sh", "-c",
		                             "echo \"$MAKEFLAGS\" | grep 'jobserver-auth=[0-9]'"),
		            .n_argv = 3 };
	char *dir = test_folder(), *fifo = path_join(dir, JOBSERVER_FILE);
	struct exec_completion c;

	assert_int_equal(mkfifo(fifo, 0600), 0);
	lab->jobs_dir = dir;
	lab_submit(lab, &a, 20000, 1);
	lab->jobs_dir = NULL;
	lab_wait(lab, &c);
	if (c.status != EXEC_OK)
		fail_msg("%s %s %s", c.why, c.err.cause, lab_text(lab, &c.result.log));
	free(fifo);
	test_folder_remove(dir);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_and_takes_outputs),
		cmocka_unit_test(sees_one_world),
		cmocka_unit_test(gives_way_when_asked),
		cmocka_unit_test(every_folder_has_the_epoch),
		cmocka_unit_test(fixed_addresses),
		cmocka_unit_test(escapes),
		cmocka_unit_test(tmp_is_bounded),
		cmocka_unit_test(failures_are_told),
		cmocka_unit_test(accepted_exit_codes),
		cmocka_unit_test(missing_image_breaks),
		cmocka_unit_test(odd_outputs_are_refused),
		cmocka_unit_test(a_job_server_that_is_gone),
	};

	return cmocka_run_group_tests_name("exec/local", tests, lab_setup, lab_teardown);
}

int main(void)
{
	return lab_main(run);
}
