/*
 * Running real actions in real sandboxes, with a tiny image made of this machine's programs: what
 * the stage sees, how failures are told, that nothing survives a cancel, and what cannot be reached
 * from inside. Runs as whoever calls it: root or a plain user.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "base/path.h"
#include "exec/local.h"
#include "exec/server.h"
#include "fakes/rootfs.h"
#include "host/clock.h"
#include "host/fs.h"
#include "sandbox/identity.h"
#include "sandbox/spec.h"
#include "store/blobs.h"
#include "store/place.h"

struct lab {
	struct runner_server *server;
	char dir[64], *images;
	struct blobs *blobs;
	struct executor *executor;
	struct arena *arena;
	struct digest image;
};

#define LIST(...) ((const char *[]){ __VA_ARGS__ })

static struct lab the_lab;

static const char epoch_env[] = "1700000000";

static int setup(void **state)
{
	struct lab *lab = *state = &the_lab;
	struct err err = ERR_INIT;
	struct executor_local_options options = { .server = lab->server, .slots = 2 };
	_cleanup_free_ char *root = NULL;

	strcpy(lab->dir, "/var/tmp/kiln-test-XXXXXX");
	assert_non_null(mkdtemp(lab->dir));
	memset(lab->image.bytes, 0xab, sizeof(lab->image.bytes));
	lab->images = path_join(lab->dir, "images");
	root = str_fmt("%s/%s/root", lab->images, DIGEST_TEXT(&lab->image));
	if (fake_rootfs_make(root, &err) < 0 || blobs_open(lab->dir, &lab->blobs, &err) < 0 ||
	    sandbox_bwrap.probe(&err) < 0)
		fail_msg("%s; %s", err.cause, err.hint);
	options.store_dir = lab->dir;
	options.images_dir = lab->images;
	options.runtime = &sandbox_bwrap;
	if (executor_local_new(&options, &lab->executor, &err) < 0)
		fail_msg("%s", err.cause);
	lab->arena = arena_new();
	return 0;
}

static int teardown(void **state)
{
	struct lab *lab = *state;
	struct err err = ERR_INIT;

	lab->executor->ops->free(lab->executor);
	blobs_free(lab->blobs);
	arena_free(lab->arena);
	free(lab->images);
	assert_int_equal(fs_remove_tree(AT_FDCWD, lab->dir, &err), 0);
	return 0;
}

/* ---- making actions ------------------------------------------------------------------------ */

struct input {
	const char *at, *text;
};

static void compose(struct lab *lab, const struct input *inputs, size_t n, struct blob_ref *ret)
{
	ARRAY(struct placement) list = { 0 };
	struct err err = ERR_INIT;

	for (size_t i = 0; i < n; i++) {
		struct placement *p = array_add(&list);

		p->at = inputs[i].at;
		p->node.kind = NODE_FILE;
		p->node.name = "";
		assert_int_equal(blobs_put(lab->blobs, inputs[i].text, strlen(inputs[i].text),
		                           &p->node.ref, &err),
		                 0);
	}
	if (place_compose(lab->blobs, list.v, list.n, ret, &err) < 0)
		fail_msg("%s", err.cause);
	array_deinit(&list);
}

static void submit(struct lab *lab, struct action *action, int64_t timeout_ms, uint64_t token)
{
	static struct action_env env[] = { { "HOME", "/tmp" },
		                           { "PATH", "/usr/bin:/bin" },
		                           { "SOURCE_DATE_EPOCH", epoch_env } };
	struct buf bytes = BUF_INIT(1 << 20);
	struct blob_ref ref;
	struct exec_request request = { .action = &ref.digest,
		                        .address = "test/plain/stage",
		                        .epoch = 1700000000,
		                        .timeout_ms = timeout_ms,
		                        .jobs = 3,
		                        .token = token };
	struct err err = ERR_INIT;

	if (!action->builtin)
		action->image = lab->image;
	action->arch = "amd64";
	if (!action->env) {
		action->env = env;
		action->n_env = ARRAY_LEN(env);
	}
	if (!action->workdir)
		action->workdir = "";
	if (digest_is_none(&action->input_root.digest))
		compose(lab, NULL, 0, &action->input_root);
	action_encode(action, &bytes);
	assert_int_equal(blobs_put(lab->blobs, bytes.p, bytes.n, &ref, &err), 0);
	buf_deinit(&bytes);
	request.action_size = ref.size;
	if (lab->executor->ops->submit(lab->executor, &request, &err) < 0)
		fail_msg("%s", err.cause);
}

static void wait_one(struct lab *lab, struct exec_completion *ret)
{
	struct err err = ERR_INIT;
	int rc = lab->executor->ops->wait(lab->executor, lab->arena, 60000, ret, &err);

	if (rc != 0)
		fail_msg("wait: %d %s", rc, err.cause);
}

static const char *text_of(struct lab *lab, const struct blob_ref *ref)
{
	struct buf text = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;
	const char *copy;

	assert_int_equal(blobs_read(lab->blobs, ref, &text, &err), 0);
	copy = arena_str(lab->arena, buf_text(&text));
	buf_deinit(&text);
	return copy;
}

/* Runs a shell script and returns its completion. */
static void run_script(struct lab *lab, const char *script, struct exec_completion *ret)
{
	struct action action = { .argv = LIST("sh", "-c", script), .n_argv = 3 };

	submit(lab, &action, 30000, 1);
	wait_one(lab, ret);
	if (ret->status == EXEC_BROKEN)
		fail_msg("%s; %s", ret->err.cause, ret->err.hint);
}

/* What a script that must succeed prints. */
static const char *out_of(struct lab *lab, const char *script)
{
	struct exec_completion c;

	run_script(lab, script, &c);
	if (c.status != EXEC_OK)
		fail_msg("%s: %s", c.why, text_of(lab, &c.result.log));
	return text_of(lab, &c.result.out);
}

/* Nothing is left in the folder of work folders. */
static void assert_no_work(struct lab *lab)
{
	_cleanup_free_ char *work = path_join(lab->dir, "work");
	struct fs_names names = { 0 };
	struct err err = ERR_INIT;

	assert_int_equal(fs_list(AT_FDCWD, work, &names, &err), 0);
	if (names.names.n)
		fail_msg("left behind: %s/%s", work, names.names.v[0]);
	fs_names_deinit(&names);
}

/* Whether a process of this machine has that text in its arguments. */
static bool is_running(const char *text)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	bool found = false;

	while (!found && (entry = readdir(proc))) {
		_cleanup_buf_ struct buf line = BUF_INIT(1 << 16);
		_cleanup_free_ char *path = str_fmt("/proc/%s/cmdline", entry->d_name);
		struct err err = ERR_INIT;

		if (entry->d_name[0] < '1' || entry->d_name[0] > '9' ||
		    atoi(entry->d_name) == getpid() || fs_read(AT_FDCWD, path, &line, &err) != 0)
			continue;
		found = line.n && memmem(line.p, line.n, text, strlen(text));
	}
	closedir(proc);
	return found;
}

static void assert_gone_within(const char *text, int ms)
{
	int64_t deadline = clock_mono_us() + ms * 1000;

	while (is_running(text)) {
		assert_true(clock_mono_us() < deadline);
		usleep(10000);
	}
}

static void assert_comes(const char *text)
{
	int64_t deadline = clock_mono_us() + 10000000;

	while (!is_running(text)) {
		assert_true(clock_mono_us() < deadline);
		usleep(10000);
	}
}

/* ---- tests --------------------------------------------------------------------------------- */

static void runs_and_takes_outputs(void **state)
{
	struct lab *lab = *state;
	struct input inputs[] = { { "in/a.txt", "hello\n" } };
	struct action_output outputs[] = { { .path = "deep/er/out.txt" }, { .path = "tree" } };
	struct action action = {
		.argv = LIST("sh", "-c",
		             "cat ../in/a.txt > ../deep/er/out.txt; mkdir ../tree; "
		             "touch ../tree/x; chmod +x ../tree/x; echo said; echo logged >&2"),
		.n_argv = 3,
		.workdir = "sub/dir",
		.outputs = outputs,
		.n_outputs = 2,
	};
	struct exec_completion c;

	action.workdir = "sub";
	compose(lab, inputs, 1, &action.input_root);
	submit(lab, &action, 0, 42);
	wait_one(lab, &c);
	if (c.status == EXEC_BROKEN)
		fail_msg("%s %s %s", c.err.cause, c.err.trail, c.err.hint);
	if (c.status != EXEC_OK)
		fail_msg("%s: %s", c.why, text_of(lab, &c.result.log));
	assert_int_equal(c.token, 42);
	assert_int_equal(c.result.n_outputs, 2);
	assert_string_equal(c.result.outputs[0].path, "deep/er/out.txt");
	assert_string_equal(text_of(lab, &c.result.outputs[0].node->ref), "hello\n");
	assert_int_equal(c.result.outputs[1].node->kind, NODE_DIR);
	assert_string_equal(text_of(lab, &c.result.out), "said\n");
	assert_string_equal(text_of(lab, &c.result.log), "logged\n");
	assert_true(c.result.wall_us > 0 && c.result.started_us > 0 && c.result.peak_bytes > 0);
	assert_no_work(lab);
}

static void sees_one_world(void **state)
{
	struct lab *lab = *state;
	struct action env = { .argv = LIST("env"), .n_argv = 1 };
	struct exec_completion c;

	assert_string_equal(out_of(lab, "pwd; id -u; id -g; id -un; umask; uname -n; echo $HOME; "
	                                "cat /etc/hostname"),
	                    "/build\n1000\n1000\nbuilder\n0022\nbuilder\n/tmp\nbuilder\n");
	submit(lab, &env, 0, 1);
	wait_one(lab, &c);
	assert_string_equal(text_of(lab, &c.result.out),
	                    "HOME=/tmp\nKILN_JOBS=3\nPATH=/usr/bin:/bin\n"
	                    "SOURCE_DATE_EPOCH=1700000000\nPWD=/build\n");
	assert_string_equal(out_of(lab, "ulimit -n; ulimit -c; ulimit -s; grep -c . /proc/net/dev"),
	                    "4096\n0\n8192\n3\n");
	assert_string_equal(out_of(lab, "stat -c %Y /build; echo x > /tmp/f; echo x >/dev/shm/f; "
	                                "cat /tmp/f; echo again > /dev/stderr"),
	                    "1700000000\nx\n");
	assert_string_equal(out_of(lab, "grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status"),
	                    "CapEff:\t0000000000000000\nCapBnd:\t0000000000000000\n"
	                    "NoNewPrivs:\t1\n");
	/* Standard streams, and the folder that ls reads. */
	assert_string_equal(out_of(lab, "ls /proc/self/fd | cat; exec ls -d /proc/2"),
	                    "0\n1\n2\n3\n/proc/2\n");
}

static void fixed_addresses(void **state)
{
	struct lab *lab = *state;
	const char *first = NULL;

	for (int i = 0; i < 3; i++) {
		struct action action = { .argv = LIST("sh", "-c", "grep stack /proc/self/maps"),
			                 .n_argv = 3,
			                 .fixed_addresses = true };
		struct exec_completion c;

		submit(lab, &action, 0, 1);
		wait_one(lab, &c);
		assert_int_equal(c.status, EXEC_OK);
		if (first)
			assert_string_equal(text_of(lab, &c.result.out), first);
		first = text_of(lab, &c.result.out);
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

		run_script(lab, attempts[i], &c);
		if (c.status != EXEC_FAILED && strncmp(attempts[i], "kill", 4) != 0)
			fail_msg("%s: succeeded", attempts[i]);
	}
	/* A setuid bit set inside gains nothing, and is refused as an output. */
	assert_string_equal(out_of(lab, "cat /bin/id > /build/id; chmod 4755 /build/id; "
	                                "/build/id -u"),
	                    "1000\n");
}

static void tmp_is_bounded(void **state)
{
	struct lab *lab = *state;
	const char *text = out_of(lab, "stat -f -c '%b %S' /tmp /dev/shm");
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
		.argv = LIST("true"), .n_argv = 1, .outputs = &missing, .n_outputs = 1
	};
	struct action b = {
		.argv = LIST("touch", "empty"), .n_argv = 2, .outputs = &hollow, .n_outputs = 1
	};
	struct action r = { .argv = LIST("sh", "-c", "echo 'a possibly stale profile here'"),
		            .n_argv = 3,
		            .reject = LIST("possibly stale"),
		            .n_reject = 1 };
	struct action n = { .argv = LIST("no-such-tool"), .n_argv = 1 };

	run_script(lab, "echo oops >&2; exit 7", &c);
	assert_int_equal(c.status, EXEC_FAILED);
	assert_string_equal(c.why, "exit status 7");
	assert_int_equal(c.result.exit_code, 7);
	assert_string_equal(text_of(lab, &c.result.log), "oops\n");
	run_script(lab, "kill -11 $$", &c);
	assert_non_null(strstr(c.why, "signal 11"));
	submit(lab, &a, 0, 1);
	wait_one(lab, &c);
	assert_string_equal(c.why, "the output nothing is missing");
	submit(lab, &b, 0, 1);
	wait_one(lab, &c);
	assert_int_equal(c.status, EXEC_FAILED);
	assert_non_null(strstr(c.why, "empty"));
	submit(lab, &r, 0, 1);
	wait_one(lab, &c);
	assert_int_equal(c.status, EXEC_FAILED);
	assert_non_null(strstr(c.why, "a possibly stale profile here"));
	submit(lab, &n, 0, 1);
	wait_one(lab, &c);
	assert_int_equal(c.status, EXEC_FAILED);
	assert_non_null(strstr(c.why, "no-such-tool"));
	assert_no_work(lab);
}

static void accepted_exit_codes(void **state)
{
	struct lab *lab = *state;
	int code = 1;
	struct action a = { .argv = LIST("grep", "x", "/etc/hostname"),
		            .n_argv = 3,
		            .exit_codes = &code,
		            .n_exit_codes = 1 };
	struct exec_completion c;

	submit(lab, &a, 0, 1);
	wait_one(lab, &c);
	assert_int_equal(c.status, EXEC_OK);
	assert_int_equal(c.result.exit_code, 1);
}

static void missing_image_breaks(void **state)
{
	struct lab *lab = *state;
	struct digest real = lab->image;
	struct action a = { .argv = LIST("true"), .n_argv = 1 };
	struct exec_completion c;

	memset(lab->image.bytes, 0xcd, sizeof(lab->image.bytes));
	submit(lab, &a, 0, 1);
	lab->image = real;
	wait_one(lab, &c);
	assert_int_equal(c.status, EXEC_BROKEN);
	assert_non_null(strstr(c.err.cause, "image"));
}

static void timeout_kills_all(void **state)
{
	struct lab *lab = *state;
	struct action a = { .argv = LIST("sh", "-c", "setsid sleep 71.5 & sleep 71.5"),
		            .n_argv = 3 };
	struct exec_completion c;
	int64_t began = clock_mono_us();

	submit(lab, &a, 300, 1);
	wait_one(lab, &c);
	assert_true(clock_mono_us() - began < 3000000);
	assert_int_equal(c.status, EXEC_FAILED);
	assert_non_null(strstr(c.why, "time limit of 0.3 s"));
	assert_false(is_running("71.5"));
	assert_no_work(lab);
}

static void log_limit_kills(void **state)
{
	struct lab *lab = *state;
	struct exec_completion c;

	run_script(lab, "yes >&2", &c);
	assert_int_equal(c.status, EXEC_FAILED);
	assert_non_null(strstr(c.why, "64 MiB"));
	assert_non_null(strstr(c.why, "standard error"));
}

static void daemons_end_with_the_stage(void **state)
{
	struct lab *lab = *state;
	struct exec_completion c;
	int64_t began = clock_mono_us();

	run_script(lab, "setsid sleep 72.5 & setsid sh -c 'setsid sleep 72.5 &' & echo done", &c);
	assert_int_equal(c.status, EXEC_OK);
	assert_true(clock_mono_us() - began < 3000000);
	assert_false(is_running("72.5"));
	assert_string_equal(text_of(lab, &c.result.out), "done\n");
}

static void cancel_ends_everything(void **state)
{
	struct lab *lab = *state;
	struct action a = { .argv = LIST("sh", "-c", "setsid sleep 73.5 & sleep 73.5"),
		            .n_argv = 3 };
	struct exec_completion c;
	struct pollfd p = { lab->executor->ops->poll_fd(lab->executor), POLLIN, 0 };
	int64_t began;

	for (uint64_t i = 0; i < 4; i++) /* two run, two wait */
		submit(lab, &a, 0, i);
	assert_comes("73.5");
	began = clock_mono_us();
	lab->executor->ops->cancel(lab->executor);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(poll(&p, 1, 5000), 1);
		wait_one(lab, &c);
		assert_int_equal(c.status, EXEC_CANCELLED);
	}
	assert_true(clock_mono_us() - began < 1000000);
	assert_gone_within("73.5", 300);
	assert_no_work(lab);
	run_script(lab, "true", &c); /* and goes on afterwards */
	assert_int_equal(c.status, EXEC_OK);
}

static void slots_queue(void **state)
{
	struct lab *lab = *state;
	struct action a = { .argv = LIST("sleep", "0.2"), .n_argv = 2 };
	struct exec_completion c;
	struct err err = ERR_INIT;
	uint64_t seen = 0;
	int64_t began = clock_mono_us();

	assert_int_equal(lab->executor->ops->wait(lab->executor, lab->arena, -1, &c, &err),
	                 EXECUTOR_IDLE);
	for (uint64_t i = 0; i < 4; i++)
		submit(lab, &a, 0, i);
	assert_int_equal(lab->executor->ops->wait(lab->executor, lab->arena, 0, &c, &err),
	                 EXECUTOR_IDLE);
	for (int i = 0; i < 4; i++) {
		wait_one(lab, &c);
		assert_int_equal(c.status, EXEC_OK);
		seen |= 1u << c.token;
	}
	assert_int_equal(seen, 15);
	assert_true(clock_mono_us() - began >= 400000);
}

/* SIGKILL of the main process: server, runners, sandboxes and their daemons go with it. */
static void dies_with_main(void **state)
{
	struct lab *lab = *state;
	int ends[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		struct executor_local_options options = { .store_dir = lab->dir,
			                                  .images_dir = lab->images,
			                                  .runtime = &sandbox_bwrap,
			                                  .slots = 2 };
		struct action a = { .argv = LIST("sh", "-c", "setsid sleep 74.5 & sleep 74.5"),
			            .n_argv = 3 };
		struct runner_server *server;
		struct lab other = *lab;
		struct err err = ERR_INIT;

		if (runner_server_start(&server, &err) < 0)
			_exit(1);
		options.server = server;
		if (executor_local_new(&options, &other.executor, &err) < 0)
			_exit(1);
		submit(&other, &a, 0, 1);
		(void)!write(ends[1], "x", 1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ends[0], &byte, 1), 1);
	assert_comes("74.5");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_gone_within("74.5", 1000);
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
		                                  .runtime = &sandbox_bwrap,
		                                  .slots = 2 };

	for (int i = 0; i < 40; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			struct action a = { .argv = LIST("sh", "-c",
				                         "setsid sleep 75.5 & sleep 75.5"),
				            .n_argv = 3 };
			struct lab other = *lab;
			struct err err = ERR_INIT;

			if (runner_server_start(&other.server, &err) < 0)
				_exit(1);
			options.server = other.server;
			if (executor_local_new(&options, &other.executor, &err) < 0)
				_exit(1);
			submit(&other, &a, 0, 1);
			for (;;)
				pause();
		}
		usleep((useconds_t)(2000 + i * 400));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	assert_gone_within("75.5", 1000);
}

/* The child of the first child: the server's runner. */
static pid_t the_runner(void)
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
	return runner;
}

static void killed_runner_is_told(void **state)
{
	struct lab *lab = *state;
	struct action a = { .argv = LIST("sh", "-c", "setsid sleep 76.5 & sleep 76.5"),
		            .n_argv = 3 };
	struct exec_completion c;

	submit(lab, &a, 0, 5);
	assert_comes("76.5");
	kill(the_runner(), SIGKILL);
	wait_one(lab, &c);
	assert_int_equal(c.status, EXEC_BROKEN);
	assert_int_equal(c.token, 5);
	assert_non_null(strstr(c.err.cause, "without an answer"));
	assert_gone_within("76.5", 1000);
}

static void odd_outputs_are_refused(void **state)
{
	static const char *const scripts[] = { "cat /bin/id > x; chmod 4755 x", "mkfifo x",
		                               "mkdir x; mkfifo x/y" };
	struct lab *lab = *state;
	struct action_output output = { .path = "x" };

	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		struct action a = { .argv = LIST("sh", "-c", scripts[i]),
			            .n_argv = 3,
			            .outputs = &output,
			            .n_outputs = 1 };
		struct exec_completion c;

		submit(lab, &a, 0, 1);
		wait_one(lab, &c);
		assert_int_equal(c.status, EXEC_FAILED);
		if (!strstr(c.why, "the output x cannot be taken"))
			fail_msg("%s: %s", scripts[i], c.why);
	}
}

/* A killed server is an error, not a hang. */
static void dead_server_is_told(void **state)
{
	struct lab *lab = *state;
	struct exec_completion c;
	struct executor_local_options options = { .store_dir = lab->dir,
		                                  .images_dir = lab->images,
		                                  .runtime = &sandbox_bwrap,
		                                  .slots = 2 };
	struct lab other = *lab;
	struct action a = { .argv = LIST("true"), .n_argv = 1 };
	struct err err = ERR_INIT;
	FILE *children;
	pid_t pid = 0;

	assert_int_equal(runner_server_start(&other.server, &err), 0);
	options.server = other.server;
	assert_int_equal(executor_local_new(&options, &other.executor, &err), 0);
	/* The youngest child of this process is that server. */
	{
		_cleanup_free_ char *path = str_fmt("/proc/self/task/%d/children", (int)getpid());

		children = fopen(path, "re");
		assert_non_null(children);
		while (fscanf(children, "%d", &pid) == 1)
			;
		fclose(children);
	}
	kill(pid, SIGKILL);
	submit(&other, &a, 0, 9);
	wait_one(&other, &c);
	assert_int_equal(c.status, EXEC_BROKEN);
	assert_int_equal(c.token, 9);
	assert_non_null(strstr(c.err.cause, "server"));
	other.executor->ops->free(other.executor);
	runner_server_stop(other.server);
}

/* ---- builtins ------------------------------------------------------------------------------ */

static void smoke(struct lab *lab, const char *ref, const char *cand, const char *filters,
                  struct exec_completion *ret)
{
	_cleanup_free_ char *params =
		str_fmt("{\"cases\":[{\"name\":\"one\",\"reference\":\"r\",\"candidate\":\"c\"}],"
	                "\"filters\":[%s]}",
	                filters);
	struct input inputs[] = { { "kiln.json", params }, { "r", ref }, { "c", cand } };
	struct action_output output = { .path = "smoke.json" };
	struct action a = { .builtin = "smoke@1", .outputs = &output, .n_outputs = 1 };

	compose(lab, inputs, 3, &a.input_root);
	submit(lab, &a, 10000, 1);
	wait_one(lab, ret);
	if (ret->status == EXEC_BROKEN)
		fail_msg("%s; %s", ret->err.cause, ret->err.hint);
}

static void smoke_compares(void **state)
{
	struct lab *lab = *state;
	struct exec_completion c;

	smoke(lab, "a\nb\n", "a\nb\n", "", &c);
	if (c.status != EXEC_OK)
		fail_msg("%s", c.why);
	/* printf 'a\nb\n' | sha256sum */
	assert_string_equal(text_of(lab, &c.result.outputs[0].node->ref),
	                    "{\"cases\":{\"one\":\"911169ddaaf146aff539f58c26c489af3b892dff0fe283c1"
	                    "c264c65ae5aa59a2\"}}");
	smoke(lab, "a\nb\nc\n", "a\nx\nc\n", "", &c);
	assert_int_equal(c.status, EXEC_FAILED);
	assert_non_null(strstr(c.why, "'one' differs at line 2"));
	assert_non_null(strstr(c.why, "reference: b"));
	assert_non_null(strstr(c.why, "candidate: x"));
	assert_non_null(strstr(text_of(lab, &c.result.log), "add a filter"));
	smoke(lab, "a\nb\n", "a\n", "", &c);
	assert_non_null(strstr(c.why, "ends after line 1"));
	smoke(lab, "a\n", "a", "", &c);
	assert_non_null(strstr(c.why, "no newline"));
	smoke(lab, "at /x/1 of day 12:30\nrest\n", "noise /y/2\nrest\n",
	      "{\"drop_lines\":\"*/[xy]/*\"}", &c);
	assert_int_equal(c.status, EXEC_OK);
	smoke(lab, "took 12 ms, 3 s\n", "took 7 ms, 44 s\n",
	      "{\"regex\":\"([0-9]+) (m?s)\",\"replace\":\"N \\\\2\"}", &c);
	assert_int_equal(c.status, EXEC_OK);
	smoke(lab, "", "", "{\"regex\":\"(\"}", &c);
	assert_int_equal(c.status, EXEC_FAILED);
	assert_non_null(strstr(c.why, "regex"));
}

static void tar_is_made_inside(void **state)
{
	struct lab *lab = *state;
	struct input inputs[] = { { "kiln.json", "{\"modes\":{},\"root\":\"x-1\"}" },
		                  { "tree/x-1/bin/x", "content\n" } };
	struct action_output output = { .path = "out.tar", .non_empty = true };
	struct action a = { .builtin = "tar@1", .outputs = &output, .n_outputs = 1 };
	struct exec_completion c;

	compose(lab, inputs, 2, &a.input_root);
	submit(lab, &a, 10000, 1);
	wait_one(lab, &c);
	if (c.status != EXEC_OK)
		fail_msg("%s %s", c.why, c.err.cause);
	assert_true(c.result.outputs[0].node->ref.size >= 1536);
	inputs[1].at = "tree/wrong/bin/x";
	compose(lab, inputs, 2, &a.input_root);
	submit(lab, &a, 10000, 1);
	wait_one(lab, &c);
	assert_int_equal(c.status, EXEC_FAILED);
	a.builtin = "no-such@1";
	submit(lab, &a, 10000, 1);
	wait_one(lab, &c);
	assert_int_equal(c.status, EXEC_BROKEN);
	assert_non_null(strstr(c.err.cause, "no-such@1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_and_takes_outputs),
		cmocka_unit_test(sees_one_world),
		cmocka_unit_test(fixed_addresses),
		cmocka_unit_test(escapes),
		cmocka_unit_test(tmp_is_bounded),
		cmocka_unit_test(failures_are_told),
		cmocka_unit_test(accepted_exit_codes),
		cmocka_unit_test(missing_image_breaks),
		cmocka_unit_test(timeout_kills_all),
		cmocka_unit_test(log_limit_kills),
		cmocka_unit_test(daemons_end_with_the_stage),
		cmocka_unit_test(cancel_ends_everything),
		cmocka_unit_test(slots_queue),
		cmocka_unit_test(dies_with_main),
		cmocka_unit_test(dead_server_is_told),
		cmocka_unit_test(killed_runner_is_told),
		cmocka_unit_test(killed_runner_leaves_nothing),
		cmocka_unit_test(odd_outputs_are_refused),
		cmocka_unit_test(smoke_compares),
		cmocka_unit_test(tar_is_made_inside),
	};
	struct err err = ERR_INIT;
	int failed;

	if (runner_server_start(&the_lab.server, &err) < 0) {
		fprintf(stderr, "%s\n", err.cause);
		return 1;
	}
	failed = cmocka_run_group_tests_name("exec/local", tests, setup, teardown);
	runner_server_stop(the_lab.server);
	return failed;
}
