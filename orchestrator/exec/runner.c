/*
 * Carrying out one action: lay the inputs out, run it in its sandbox (or shut in, when it is one of
 * Kiln's builtins), judge it, take its outputs in, answer. The runner keeps the identity Kiln was
 * started with, because it writes the store; only its child gives that up.
 */
#include "exec/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exec/builtin.h"
#include "exec/guards.h"
#include "exec/supervise.h"
#include "exec/volatile_env.h"
#include "exec/wire.h"
#include "exec/work.h"
#include "host/clock.h"
#include "host/failpoint.h"
#include "host/fs.h"
#include "host/process.h"
#include "sandbox/confine.h"
#include "sandbox/identity.h"
#include "sandbox/spec.h"

static const uint64_t OUT_LIMIT = (uint64_t)1 << 30;
static const uint64_t LOG_LIMIT = (uint64_t)64 << 20;
enum { ACTION_MAX = 64 << 20 };

struct run {
	struct arena *arena;
	struct runner_request request;
	struct blobs *blobs;
	struct action action;
	const struct sandbox_runtime *runtime;
	const struct builtin *builtin; /* or NULL */
	struct sandbox_spec spec;
	struct work work;
	struct runner_reply reply;
	pid_t self;
};

/* ---- in the child -------------------------------------------------------------------------- */

static int enter_sandbox(void *data, const struct supervise_streams *streams, struct err *err)
{
	struct run *run = data;

	run->spec.stdout_fd = streams->out_fd;
	run->spec.stderr_fd = streams->log_fd;
	run->spec.status_fd = streams->status_fd;
	return run->runtime->enter(&run->spec, err);
}

/* Whoever asked for no sandbox at all gets builtins without walls where there can be none. */
static int shut_in(struct run *run, const struct supervise_streams *streams, struct err *err)
{
	int keep[] = { streams->out_fd, streams->log_fd, streams->status_fd, streams->err_fd };
	struct err fault = ERR_INIT;

	if (sandbox_confine(run->work.build_path, run->self, keep, ARRAY_LEN(keep), &fault) == 0)
		return 0;
	if (run->runtime->pinned || fault.code != ERR_MACHINE || fchdir(run->work.build_fd) < 0) {
		*err = fault;
		return -1;
	}
	process_close_fds(keep, ARRAY_LEN(keep));
	if (sandbox_drop(err) < 0)
		return -1;
	if (!process_die_with_parent(run->self))
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

	if (dir_fd < 0)
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

/* ---- preparing ----------------------------------------------------------------------------- */

static int read_action(struct run *run, struct err *err)
{
	struct blob_ref ref = { run->request.action, run->request.action_size };
	_cleanup_buf_ struct buf bytes = BUF_INIT(ACTION_MAX);
	int rc = blobs_read(run->blobs, &ref, &bytes, err);

	if (rc == BLOBS_MISS)
		return err_set(err, ERR_BUG, "the action %s is not in the store",
		               DIGEST_TEXT(&ref.digest));
	if (rc < 0)
		return -1;
	return action_decode(run->arena, buf_str(&bytes), &run->action, err);
}

static int cmp_env(const void *a, const void *b)
{
	return strcmp(((const struct action_env *)a)->name, ((const struct action_env *)b)->name);
}

/* The volatile environment, sorted. */
static struct action_env *volatile_env(struct run *run, size_t *ret_n)
{
	const struct sandbox_network *network = run->request.network;
	struct action_env *env =
		arena_array(run->arena, 3 + (network ? network->n_env : 0), sizeof(*env));
	size_t n = 0;

	env[n++] = (struct action_env){ VOLATILE_ENV_JOBS,
		                        arena_fmt(run->arena, "%d",
		                                  run->request.jobs > 0 ? run->request.jobs : 1) };
	for (size_t i = 0; network && i < network->n_env; i++)
		env[n++] = network->env[i];
	if (network && network->ca) {
		const char *ca = run->runtime->needs_rootfs ? SANDBOX_CA_FILE : network->ca;

		env[n++] = (struct action_env){ VOLATILE_ENV_CARGO_CA, ca };
		env[n++] = (struct action_env){ VOLATILE_ENV_SSL_CA, ca };
	}
	qsort(env, n, sizeof(*env), cmp_env);
	*ret_n = n;
	return env;
}

/* The action's environment with the volatile one merged into it, sorted. */
static int make_env(struct run *run, struct err *err)
{
	const struct action *a = &run->action;
	size_t n_own, own_at = 0, n = 0;
	const struct action_env *own = volatile_env(run, &n_own);
	struct action_env *env = arena_array(run->arena, a->n_env + n_own, sizeof(*env));

	for (size_t i = 0; i < a->n_env; i++) {
		while (own_at < n_own && cmp_env(&own[own_at], &a->env[i]) < 0)
			env[n++] = own[own_at++];
		if (own_at < n_own && cmp_env(&own[own_at], &a->env[i]) == 0)
			return err_set(err, ERR_INPUT, "%s sets %s, which Kiln itself sets",
			               run->request.address, a->env[i].name);
		env[n++] = a->env[i];
	}
	while (own_at < n_own)
		env[n++] = own[own_at++];
	run->spec.env = env;
	run->spec.n_env = n;
	return 0;
}

static int find_rootfs(struct run *run, struct err *err)
{
	const char *root = arena_fmt(run->arena, "%s/%s/root", run->request.images_dir,
	                             DIGEST_TEXT(&run->action.image));
	struct stat st;

	if (stat(root, &st) < 0 || !S_ISDIR(st.st_mode)) {
		err_set(err, ERR_IO, "the image %.12s… is not unpacked in the store",
		        DIGEST_TEXT(&run->action.image));
		return err_hint(err, "run the same command again: it is unpacked anew");
	}
	run->spec.rootfs = root;
	return 0;
}

static int make_spec(struct run *run, struct err *err)
{
	const struct action *a = &run->action;
	const char **argv = arena_array(run->arena, a->n_argv + 1, sizeof(*argv));

	for (size_t i = 0; i < a->n_argv; i++)
		argv[i] = a->argv[i];
	run->spec.argv = argv;
	run->spec.workdir = a->workdir ? a->workdir : "";
	run->spec.work = run->work.build_path;
	run->spec.fixed_addresses = a->fixed_addresses;
	run->spec.network = run->request.network;
	run->spec.status_fd = -1;
	run->spec.runner = run->self;
	if (make_env(run, err) < 0)
		return -1;
	if (a->builtin && *a->builtin) {
		run->builtin = builtin_find(a->builtin);
		return run->builtin ?
		               0 :
		               err_set(err, ERR_INPUT, "this Kiln has no builtin %s", a->builtin);
	}
	if (!a->n_argv)
		return err_set(err, ERR_INPUT, "%s runs nothing: argv is empty",
		               run->request.address);
	run->spec.stdin_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (run->spec.stdin_fd < 0)
		return err_sys(err, ERR_IO, "cannot open /dev/null");
	if (run->runtime->needs_rootfs && find_rootfs(run, err) < 0)
		return -1;
	return run->runtime->prepare(&run->spec, err);
}

/* ---- judging ------------------------------------------------------------------------------- */

static const char *size_text(struct arena *arena, uint64_t n)
{
	return n >> 30 ? arena_fmt(arena, "%llu GiB", (unsigned long long)(n >> 30)) :
	                 arena_fmt(arena, "%llu MiB", (unsigned long long)(n >> 20));
}

/* One line when the run did not end by itself, NULL when it did. */
static const char *cut_short(struct run *run, const struct supervised *s)
{
	switch (s->end) {
	case SUPERVISE_TIMEOUT:
		return arena_fmt(run->arena, "killed after its time limit of %g s",
		                 (double)run->request.timeout_ms / 1000);
	case SUPERVISE_OUT_LIMIT:
		return arena_fmt(run->arena, "killed: standard output passed its limit of %s",
		                 size_text(run->arena, OUT_LIMIT));
	case SUPERVISE_LOG_LIMIT:
		return arena_fmt(run->arena, "killed: standard error passed its limit of %s",
		                 size_text(run->arena, LOG_LIMIT));
	case SUPERVISE_EXITED:
	case SUPERVISE_CANCELLED:
		break;
	}
	return NULL;
}

/* Nothing was run, or not to its end: what the runtime wrote is the reason. */
static int runtime_failed(struct run *run, const struct supervised *s, struct err *err)
{
	char said[1024] = "";
	ssize_t n = pread(run->work.log_file, said, sizeof(said) - 1, 0);

	said[n > 0 ? n : 0] = '\0';
	err_set(err, ERR_MACHINE, "the %s runtime ended with status %d and did not run %s: %s",
	        run->runtime->name, s->exit_code, run->spec.argv[0] ? run->spec.argv[0] : "", said);
	return err_hint(err, "try `bwrap --unshare-all --ro-bind / / true` as this user: it must "
	                     "succeed here");
}

/* bubblewrap says on its own that the program is not there. */
static const char *not_there(struct run *run)
{
	static const char prefix[] = "bwrap: execvp ";
	char said[512] = "";
	ssize_t n = pread(run->work.log_file, said, sizeof(said) - 1, 0);

	said[n > 0 ? n : 0] = '\0';
	if (!str_starts(said, prefix))
		return NULL;
	said[strcspn(said, "\n")] = '\0';
	return arena_fmt(run->arena, "cannot run %s in the image", said + sizeof(prefix) - 1);
}

static int judge(struct run *run, const struct supervised *s, const char **ret_why, struct err *err)
{
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
		*ret_why = not_there(run);
		return *ret_why ? 0 : runtime_failed(run, s, err);
	}
	if (!*ret_why)
		guard_exit_code(&run->action, s->exit_code, run->arena, ret_why);
	if (!*ret_why && guard_reject(&run->action, &run->work, run->arena, ret_why, err) < 0)
		return -1;
	if (!*ret_why && guard_outputs(&run->action, &run->work, run->blobs, run->arena,
	                               &run->reply.result, ret_why, err) < 0)
		return -1;
	return 0;
}

static int keep_stream(struct run *run, int file, const char *what, struct blob_ref *ret,
                       struct err *err)
{
	if (lseek(file, 0, SEEK_SET) < 0)
		return err_sys(err, ERR_IO, "cannot read %s", what);
	return blobs_put_fd(run->blobs, file, what, ret, err);
}

static int carry_out(struct run *run, struct err *err)
{
	struct result *result = &run->reply.result;
	struct supervise_spec spec = { .fn = run->builtin ? enter_builtin : enter_sandbox,
		                       .data = run,
		                       .timeout_ms = run->request.timeout_ms,
		                       .nice = run->request.nice,
		                       .out_limit = OUT_LIMIT,
		                       .log_limit = LOG_LIMIT,
		                       .out_file = run->work.out_file,
		                       .log_file = run->work.log_file };
	struct supervised s;

	result->started_us = clock_wall_us();
	if (supervise(&spec, &s, err) < 0)
		return -1;
	result->exit_code = s.exit_code;
	result->wall_us = s.wall_us;
	result->user_us = s.user_us;
	result->system_us = s.system_us;
	result->peak_bytes = s.peak_bytes;
	if (s.end == SUPERVISE_CANCELLED) {
		run->reply.status = EXEC_CANCELLED;
		return 0;
	}
	if (judge(run, &s, &run->reply.why, err) < 0 ||
	    keep_stream(run, run->work.out_file, "standard output", &result->out, err) < 0 ||
	    keep_stream(run, run->work.log_file, "standard error", &result->log, err) < 0)
		return -1;
	run->reply.status = run->reply.why ? EXEC_FAILED : EXEC_OK;
	return 0;
}

static int run_request(struct run *run, struct str bytes, struct err *err)
{
	if (wire_take_request(run->arena, bytes, &run->request, err) < 0)
		return -1;
	run->runtime = sandbox_find(run->request.runtime);
	if (!run->runtime)
		return err_set(err, ERR_BUG, "there is no sandbox runtime named %s",
		               run->request.runtime);
	if (blobs_open(run->request.store_dir, &run->blobs, err) < 0)
		return -1;
	if (run->request.paranoid)
		blobs_set_paranoid(run->blobs);
	if (read_action(run, err) < 0 || work_init(&run->work, run->request.store_dir, err) < 0 ||
	    work_lay_out(&run->work, run->blobs, &run->action, run->request.epoch, err) < 0 ||
	    make_spec(run, err) < 0)
		return -1;
	return carry_out(run, err);
}

/* A cancel that comes while inputs are laid out waits for the stage to be started. */
static void block_term(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

int runner_main(struct str request, int reply_fd)
{
	struct run run = { .arena = arena_new(), .work = WORK_INIT, .self = getpid() };
	_cleanup_buf_ struct buf bytes = BUF_INIT(WIRE_REPLY_MAX);
	struct err err = ERR_INIT;
	int rc;

	block_term();
	if (run_request(&run, request, &err) < 0) {
		run.reply = (struct runner_reply){ .status = EXEC_BROKEN, .err = err };
		if (err.code == ERR_STAGE) { /* an input in the way: the recipe's fault */
			run.reply.status = EXEC_FAILED;
			run.reply.why = arena_str(run.arena, err.cause);
		}
	}
	work_deinit(&run.work);
	wire_put_reply(&run.reply, &bytes);
	err_clear(&err);
	rc = failpoint("runner-reply") ?
	             -1 :
	             fs_write_all(reply_fd, bytes.p, bytes.n, "the reply", &err);
	blobs_free(run.blobs);
	arena_free(run.arena);
	return rc < 0 ? 1 : 0;
}
