/* From the digest of an action to a work folder and a sandbox that only wants to be entered. */
#include "exec/run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "exec/dev.h"
#include "exec/volatile_env.h"
#include "host/failpoint.h"
#include "host/fs.h"

enum { ACTION_MAX = 64 << 20 };

static int read_action(struct run *run, struct err *err)
{
	struct blob_ref ref = { run->request.action, run->request.action_size };
	_cleanup_buf_ struct buf bytes = BUF_INIT(ACTION_MAX);
	int rc = blobs_read(run->shop->blobs, &ref, &bytes, err);

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

static bool sets(const struct action *action, const char *name)
{
	for (size_t i = 0; i < action->n_env; i++)
		if (strcmp(action->env[i].name, name) == 0)
			return true;
	return false;
}

/* As make itself says it to a make that it starts. */
static const char *make_flags(const struct run *run)
{
	int jobs = run->request.jobs > 0 ? run->request.jobs : 1;
	const char *dir = run->runtime->needs_rootfs ? SANDBOX_JOBS : run->request.jobs_dir;

	switch (run->request.jobs_style) {
	case JOBSERVER_FIFO:
		return arena_fmt(run->arena, " -j%d --jobserver-auth=fifo:%s/%s", jobs, dir,
		                 JOBSERVER_FILE);
	case JOBSERVER_PIPE:
		return arena_fmt(run->arena, " -j%d --jobserver-auth=%d,%d", jobs,
		                 run->spec.jobs_fds[0], run->spec.jobs_fds[1]);
	case JOBSERVER_NONE:
		break;
	}
	return arena_fmt(run->arena, " -j%d", jobs);
}

/* The volatile environment, sorted. */
static struct action_env *volatile_env(struct run *run, size_t *ret_n)
{
	const struct sandbox_network *network = run->request.network;
	struct action_env *env =
		arena_array(run->arena, 4 + (network ? network->n_env : 0), sizeof(*env));
	size_t n = 0;

	env[n++] = (struct action_env){ VOLATILE_ENV_JOBS,
		                        arena_fmt(run->arena, "%d",
		                                  run->request.jobs > 0 ? run->request.jobs : 1) };
	if (!sets(&run->action, VOLATILE_ENV_MAKE))
		env[n++] = (struct action_env){ VOLATILE_ENV_MAKE, make_flags(run) };
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
	const struct digest none = { { 0 } };
	const struct digest *image = run->action.image ? run->action.image : &none;
	const char *root =
		arena_fmt(run->arena, "%s/%s/root", run->request.images_dir, DIGEST_TEXT(image));
	struct stat st;

	if (stat(root, &st) < 0 || !S_ISDIR(st.st_mode)) {
		err_set(err, ERR_IO, "the image %.12s… is not unpacked in the store",
		        DIGEST_TEXT(image));
		return err_hint(err, "run the same command again: it is unpacked anew");
	}
	run->spec.rootfs = root;
	return 0;
}

/* Waits for nobody at the other end: who held it may be gone. */
static int open_end(const char *fifo, int flags)
{
	int fd = open(fifo, flags | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0 && fcntl(fd, F_SETFL, flags) < 0)
		return fs_close(fd);
	return fd;
}

/* The job server's ends are opened here, where its folder can be reached: the one that reads first, for without
 * it the other cannot be. */
static int open_jobs(struct run *run, struct err *err)
{
	const char *fifo = arena_fmt(run->arena, "%s/%s", run->request.jobs_dir, JOBSERVER_FILE);

	if (run->request.jobs_style == JOBSERVER_FIFO)
		run->spec.jobs = run->request.jobs_dir;
	if (run->request.jobs_style != JOBSERVER_PIPE)
		return 0;
	run->spec.jobs_fds[0] = open_end(fifo, O_RDONLY);
	run->spec.jobs_fds[1] = open_end(fifo, O_WRONLY);
	if (failpoint("jobs-ends") || run->spec.jobs_fds[0] < 0 || run->spec.jobs_fds[1] < 0)
		return err_sys(err, ERR_IO, "cannot open the job server's %s", fifo);
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
	run->spec.userns_fd = run->request.userns_fd;
	run->spec.runner = run->shop->self;
	run->spec.common = &run->shop->common;
	if (open_jobs(run, err) < 0 || make_env(run, err) < 0)
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
	run->spec.stdin_fd =
		failpoint("stage-input") ? -1 : open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (run->spec.stdin_fd < 0)
		return err_sys(err, ERR_IO, "cannot open /dev/null");
	if (run->runtime->needs_rootfs && find_rootfs(run, err) < 0)
		return -1;
	return run->runtime->prepare(&run->spec, err);
}

/* ---- laying out ----------------------------------------------------------------------------- */

/* What has walls to look through, and starts from no namespace of somebody else's. */
static bool may_have_layers(const struct run *run)
{
	return run->layers && run->runtime->needs_rootfs && !run->request.userns_fd &&
	       !run->request.paranoid && !(run->action.builtin && *run->action.builtin);
}

static int lay_out(struct run *run, struct err *err)
{
	if (!run->tree && run->request.dev && run->request.dev[0]) {
		if (dev_init(&run->work, run->request.store_dir, run->request.dev, err) < 0)
			return -1;
		return dev_lay_out(&run->work, run->shop->blobs, &run->action, run->request.epoch,
		                   err);
	}
	if (!run->tree) {
		if (workshop_open_place(run->shop, err) < 0 ||
		    work_init(&run->work, &run->shop->place, err) < 0)
			return -1;
		run->spec.place = run->shop->place.path;
		if (may_have_layers(run))
			run->work.layers.store_dir = run->request.store_dir;
		return work_lay_out(&run->work, run->shop->blobs, &run->action, run->request.epoch,
		                    err);
	}
	run->work.build_path = str_dup(run->tree);
	return fs_must(fs_open_dir(AT_FDCWD, run->tree, &run->work.build_fd, err), run->tree, err);
}

/* What is mounted below the work folder is not seen through its place. */
static int enter_layers(struct run *run, struct err *err)
{
	run->spec.place = NULL;
	return workshop_open_again(run->shop, err);
}

int run_prepare(struct run *run, struct err *err)
{
	struct workshop *shop = run->shop;
	struct err later = ERR_INIT;

	run->runtime = sandbox_find(run->request.runtime);
	if (!run->runtime)
		return err_set(err, ERR_BUG, "there is no sandbox runtime named %s",
		               run->request.runtime);
	/* Not everything needs it: what does asks again, and says what is wrong, or has it later than what is
	 * open now. */
	if (sandbox_apart(&shop->common.staging, &later) < 0)
		shop->spent = true;
	if (workshop_use_store(shop, run->request.store_dir, err) < 0)
		return -1;
	if (run->request.paranoid)
		blobs_set_paranoid(shop->blobs);
	if (read_action(run, err) < 0 || lay_out(run, err) < 0)
		return -1;
	if (run->work.layers.entered && enter_layers(run, err) < 0)
		return -1;
	return make_spec(run, err);
}

void run_end(struct run *run)
{
	/* Beside overlays, what is staged stays in the way. */
	if (run->work.layers.entered) {
		sandbox_unstage(&run->shop->common.staging);
		run->shop->spent = true;
	}
	if (run->runtime)
		sandbox_unload(run->runtime, &run->spec);
	run->spec.stdin_fd = fs_close(run->spec.stdin_fd);
	for (size_t i = 0; run->spec.jobs_fds[0] && i < ARRAY_LEN(run->spec.jobs_fds); i++)
		fs_close(run->spec.jobs_fds[i]);
	if (!work_deinit(&run->work))
		run->shop->spent = true;
}

void run_end_here(struct run *run)
{
	run_end(run);
	/* It is of the namespace before, and the blobs are of this one. */
	work_place_deinit(&run->shop->place);
}
