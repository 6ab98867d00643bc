/*
 * Carrying out one action: lay the inputs out, run it in its sandbox (or shut in, when it is one of
 * Kiln's builtins), judge it, take its outputs in, answer. The runner keeps the identity Kiln was
 * started with, because it writes the store; only its child gives that up.
 */
#include "exec/carry_out.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exec/builtin.h"
#include "exec/dev.h"
#include "exec/guards.h"
#include "exec/supervise.h"
#include "exec/volatile_env.h"
#include "host/clock.h"
#include "host/failpoint.h"
#include "host/fs.h"
#include "host/process.h"
#include "sandbox/confine.h"
#include "sandbox/identity.h"
#include "sandbox/stage.h"

enum {
	TIMED_US = 1000000, /* of stages that take as long, it is kept when lines came */
	SAID_TAIL = 256 << 10,
};

/* ---- in the child -------------------------------------------------------------------------- */

static int load_sandbox(void *data, const struct supervise_streams *streams, struct err *err)
{
	struct run *run = data;

	run->spec.stdout_fd = streams->out_fd;
	run->spec.stderr_fd = streams->log_fd;
	run->spec.status_fd = streams->status_fd;
	return sandbox_load(run->runtime, &run->spec, err);
}

static int enter_sandbox(void *data, const struct supervise_streams *streams, struct err *err)
{
	const struct run *run = data;

	(void)streams;
	return run->runtime->enter(&run->spec, err);
}

/* Whoever asked for no sandbox at all gets builtins without walls where there can be none. */
static int shut_in(struct run *run, const struct supervise_streams *streams, struct err *err)
{
	int keep[] = { streams->out_fd, streams->log_fd, streams->status_fd, streams->err_fd };
	struct err fault = ERR_INIT;

	if (sandbox_confine(run->work.build_path, run->shop->self, run->spec.userns_fd, keep,
	                    ARRAY_LEN(keep), &fault) == 0)
		return 0;
	if (run->runtime->pinned || fault.code != ERR_MACHINE || fchdir(run->work.build_fd) < 0) {
		*err = fault;
		return -1;
	}
	process_close_fds(keep, ARRAY_LEN(keep));
	if (sandbox_drop(err) < 0)
		return -1;
	if (!process_die_with_parent(run->shop->self))
		return err_set(err, ERR_INTERRUPTED, "the runner is gone");
	return 0;
}

/* Kiln's own code gets the action's environment too, and nothing of the user's. */
static void take_environment(const struct run *run)
{
	clearenv();
	for (size_t i = 0; i < run->spec.n_env; i++)
		setenv(run->spec.env[i].name, run->spec.env[i].value, 1);
}

/* Runs the builtin in the current folder. */
static int call_builtin(struct run *run, int out_fd, struct err *err)
{
	_cleanup_fd_ int dir_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	FILE *out;
	int rc;

	if (failpoint("builtin-folder") || dir_fd < 0)
		return err_sys(err, ERR_IO, "cannot open the work folder");
	out = fdopen(out_fd, "w");
	if (!out)
		return err_sys(err, ERR_IO, "cannot open the standard output");
	rc = run->builtin->run(dir_fd, run->spec.argv, out, err);
	if (fclose(out) != 0 && rc == 0)
		return err_sys(err, ERR_IO, "cannot write the output of %s", run->builtin->name);
	return rc;
}

static int enter_builtin(void *data, const struct supervise_streams *streams, struct err *err)
{
	struct run *run = data;
	int rc;

	process_reset_signals();
	setsid();
	if (run->builtin->ready && run->builtin->ready(err) < 0)
		return -1;
	take_environment(run);
	if (shut_in(run, streams, err) < 0)
		return -1;
	(void)!write(streams->status_fd, "exit-code", 9);
	rc = call_builtin(run, streams->out_fd, err);
	if (rc < 0)
		dprintf(streams->log_fd, "%s%s%s\n", err->cause, err->hint[0] ? "\n" : "",
		        err->hint);
	return rc;
}

/* ---- judging ------------------------------------------------------------------------------- */

/* One line when the run did not end by itself, NULL when it did. */
static const char *cut_short(struct run *run, const struct supervised *s)
{
	switch (s->end) {
	case SUPERVISE_TIMEOUT:
		return arena_fmt(run->arena, "killed after its time limit of %g s",
		                 (double)run->request.timeout_ms / 1000);
	case SUPERVISE_OUT_LIMIT:
		return arena_fmt(run->arena, "killed: standard output passed its limit of %s",
		                 limits_size(run->arena, LIMITS_OUT));
	case SUPERVISE_LOG_LIMIT:
		return arena_fmt(run->arena, "killed: standard error passed its limit of %s",
		                 limits_size(run->arena, LIMITS_LOG));
	case SUPERVISE_LIMIT:
		return breach_text(run->arena, &s->breach);
	case SUPERVISE_EXITED:
	case SUPERVISE_CANCELLED:
		break;
	}
	return NULL;
}

/* How the log begins. */
static void read_log(const struct supervised *s, char *ret, size_t size)
{
	ssize_t n = s->log_file < 0 ? 0 : pread(s->log_file, ret, size - 1, 0);

	ret[n > 0 ? n : 0] = '\0';
}

/* Nothing was run, or not to its end: what the runtime wrote is the reason. */
static int runtime_failed(struct run *run, const struct supervised *s, struct err *err)
{
	char said[1024];

	read_log(s, said, sizeof(said));
	if (s->exit_code > 128) {
		err_set(err, ERR_IO, "the %s runtime was killed by signal %d before it ran %s",
		        run->runtime->name, s->exit_code - 128,
		        run->spec.argv[0] ? run->spec.argv[0] : "");
		return err_hint(err,
		                "is the machine out of memory? A run with a lower -j needs less");
	}
	err_set(err, ERR_MACHINE, "the %s runtime ended with status %d and did not run %s: %s",
	        run->runtime->name, s->exit_code, run->spec.argv[0] ? run->spec.argv[0] : "", said);
	return err_hint(err, "try `%s` as this user: it must succeed here", run->runtime->trial);
}

/* bubblewrap says on its own that the program is not there. */
static const char *not_there(struct run *run, const struct supervised *s)
{
	static const char prefix[] = "bwrap: execvp ";
	char said[512];

	read_log(s, said, sizeof(said));
	if (!str_starts(said, prefix))
		return NULL;
	said[strcspn(said, "\n")] = '\0';
	return arena_fmt(run->arena, "cannot run %s in the image", said + sizeof(prefix) - 1);
}

static int judge(struct run *run, const struct supervised *s, const char **ret_why, struct err *err)
{
	const struct guard_taking taking = {
		.work = &run->work,
		.blobs = run->shop->blobs,
		.children = run->request.jobs > 0 ? (size_t)run->request.jobs : 0,
		.bytes = &run->reply.bytes_out,
		.stay = run->request.dev[0] != '\0',
	};

	*ret_why = cut_short(run, s);
	if (*ret_why)
		return 0;
	if (s->err.code == ERR_STAGE || (run->builtin && s->err.code == ERR_INPUT)) {
		*ret_why = arena_str(run->arena, s->err.cause);
		return 0;
	}
	if (s->err.code) {
		*err = s->err;
		return -1;
	}
	if (!s->ran && run->runtime->needs_rootfs && !run->builtin) {
		*ret_why = not_there(run, s);
		return *ret_why ? 0 : runtime_failed(run, s, err);
	}
	if (!*ret_why)
		guard_exit_code(&run->action, s->exit_code, run->arena, ret_why);
	if (!*ret_why &&
	    guard_reject(&run->action, s->out_file, s->log_file, run->arena, ret_why, err) < 0)
		return -1;
	if (!*ret_why &&
	    guard_outputs(&run->action, &taking, run->arena, &run->reply.result, ret_why, err) < 0)
		return -1;
	return 0;
}

static int keep_stream(struct run *run, int file, const char *what, struct blob_ref *ret,
                       struct err *err)
{
	if (file < 0)
		return blobs_put(run->shop->blobs, "", 0, ret, err);
	if (failpoint("stream-rewind") || lseek(file, 0, SEEK_SET) < 0)
		return err_sys(err, ERR_IO, "cannot read %s", what);
	return blobs_put_fd(run->shop->blobs, file, what, ret, err);
}

/* Of one that took no time all came when it ran. */
static int keep_times(struct run *run, struct supervised *s, struct blob_ref *ret, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(1 << 20);

	if (s->wall_us < TIMED_US || s->out_times.marks.n + s->log_times.marks.n == 0)
		return 0;
	times_write(&s->out_times, &s->log_times, &text);
	return blobs_put(run->shop->blobs, buf_text(&text), text.n, ret, err);
}

/* What such a stage left is what the disk has no room for. */
static bool fills_disk(const struct supervised *s)
{
	return s->end == SUPERVISE_LIMIT &&
	       (s->breach.limit == LIMIT_SPACE || s->breach.limit == LIMIT_INODES);
}

/* What programs say when rename(2) and unlink(2) refuse a mount, or what lies in one and beside it: the
 * words of the C libraries, with a capital or without, and OCaml's. An error's name alone stands in sources,
 * too. */
static bool says_mounted(int file)
{
	static const char *const texts[] = { "esource busy", "ross-device link", "Unix.EBUSY",
		                             "Unix.EXDEV" };
	_cleanup_free_ char *tail = file < 0 ? NULL : alloc(SAID_TAIL + 1);
	const off_t size = file < 0 ? 0 : lseek(file, 0, SEEK_END);
	ssize_t n = file < 0 ?
	                    0 :
	                    pread(file, tail, SAID_TAIL, size > SAID_TAIL ? size - SAID_TAIL : 0);

	for (size_t i = 0; n > 0 && i < ARRAY_LEN(texts); i++)
		if (memmem(tail, (size_t)n, texts[i], strlen(texts[i])))
			return true;
	return false;
}

/* A folder that is a layer cannot be renamed or removed, nor a folder in it be renamed by that call: where a
 * stage seems to fail for that, copies do. */
static bool wants_copies(const struct run *run, const struct supervised *s)
{
	return run->reply.status == EXEC_FAILED && run->work.layers.entered &&
	       s->end == SUPERVISE_EXITED && !s->cancelled &&
	       (says_mounted(s->log_file) || says_mounted(s->out_file));
}

/* What came of it, once it was run. */
static int take_results(struct run *run, struct supervised *s, struct err *err)
{
	struct result *result = &run->reply.result;

	result->exit_code = s->exit_code;
	result->wall_us = s->wall_us;
	result->user_us = s->user_us;
	result->system_us = s->system_us;
	result->peak_bytes = s->peak_bytes;
	if (run->request.dev[0] && s->end == SUPERVISE_EXITED && s->exit_code != 128 + SIGKILL)
		dev_keep(&run->work, &run->action);
	if (s->end == SUPERVISE_CANCELLED) {
		run->reply.status = EXEC_CANCELLED;
		return 0;
	}
	if (judge(run, s, &run->reply.why, err) < 0 ||
	    keep_stream(run, s->out_file, "standard output", &result->out, err) < 0 ||
	    keep_stream(run, s->log_file, "standard error", &result->log, err) < 0 ||
	    keep_times(run, s, &result->times, err) < 0)
		return -1;
	run->reply.status = run->reply.why ? EXEC_FAILED : EXEC_OK;
	run->again = wants_copies(run, s);
	run->spent_us += s->wall_us;
	result->wall_us = run->spent_us; /* of both, where it is run again */
	if (run->again)
		return 0;
	run->reply.outside = s->end == SUPERVISE_EXITED && s->exit_code == 128 + SIGKILL;
	if (run->reply.status == EXEC_FAILED && !run->builtin && !run->request.dev[0] &&
	    !fills_disk(s))
		work_keep(&run->work, run->request.store_dir, &run->request.action);
	return 0;
}

/* 0: no limit. */
static int64_t time_left_ms(const struct run *run)
{
	const int64_t left = run->request.timeout_ms - run->spent_us / 1000;

	return run->request.timeout_ms == 0 ? 0 : left > 1 ? left : 1;
}

static int run_stage(struct run *run, struct err *err)
{
	const struct limits most = { (uint64_t)run->request.memory,
		                     (uint64_t)run->request.processes,
		                     (uint64_t)run->request.disk };
	struct limits_watch limits;
	struct supervise_spec spec = { .ready = run->builtin ? NULL : load_sandbox,
		                       .fn = run->builtin ? enter_builtin : enter_sandbox,
		                       .execs = !run->builtin && run->runtime->only_execs,
		                       .data = run,
		                       .timeout_ms = time_left_ms(run),
		                       .limits = &limits,
		                       .nice = run->request.nice,
		                       .out_limit = LIMITS_OUT,
		                       .log_limit = LIMITS_LOG,
		                       .files_fd = run->work.fd,
		                       .said_fd = run->request.said ? run->reply_fd : -1 };
	struct supervised s;
	int rc;

	/* What is changed in layers lies beside the folder where it is seen. */
	limits_begin(&limits, &most, run->shop->groups, &run->shop->group,
	             run->work.layers.list.n ? run->work.fd : run->work.build_fd);
	run->reply.bytes_in = run->work.bytes;
	run->reply.result.started_us = clock_wall_us();
	rc = supervise(&spec, &s, err);
	if (run->work.layers.entered)
		sandbox_unstage(&run->shop->common.staging);
	if (rc < 0)
		return -1;
	rc = take_results(run, &s, err);
	supervised_deinit(&s);
	return rc;
}

static int prepare_and_run(struct run *run, struct str bytes, int userns_fd, struct err *err)
{
	if (wire_take_request(run->arena, bytes, &run->request, err) < 0)
		return -1;
	run->request.userns_fd = userns_fd;
	return run_prepare(run, err) < 0 ? -1 : run_stage(run, err);
}

/* In this namespace, or one below it. */
static int run_with_copies(struct run *run, struct str bytes, int userns_fd, struct err *err)
{
	struct run again = RUN_INIT;

	run_end_here(run);
	again.arena = run->arena;
	again.shop = run->shop;
	again.reply_fd = run->reply_fd;
	again.spent_us = run->spent_us;
	*run = again;
	run->reply.copied = true;
	return prepare_and_run(run, bytes, userns_fd, err);
}

/* Tells the reply what went wrong before the stage could be judged. */
static void set_broken(struct run *run, const struct err *err)
{
	run->reply = (struct runner_reply){ .status = EXEC_BROKEN, .err = *err };
	if (err->code == ERR_STAGE) { /* an input in the way: the recipe's fault */
		run->reply.status = EXEC_FAILED;
		run->reply.why = arena_str(run->arena, err->cause);
	}
}

void carry_out(struct workshop *shop, struct str request, int userns_fd, int reply_fd,
               struct buf *reply)
{
	struct run run = RUN_INIT;
	struct err err = ERR_INIT;
	int rc;

	run.arena = arena_new();
	run.shop = shop;
	run.reply_fd = reply_fd;
	run.layers = true;
	rc = prepare_and_run(&run, request, userns_fd, &err);
	if (rc == 0 && run.again)
		rc = run_with_copies(&run, request, userns_fd, &err);
	if (rc < 0)
		set_broken(&run, &err);
	run_end(&run);
	/* What the request of a network says may be a secret, and what is not believed is not built on. */
	if (run.reply.status != EXEC_OK || run.request.paranoid || run.request.network)
		shop->spent = true;
	wire_put_reply(&run.reply, reply);
	arena_free(run.arena);
}
