/*
 * Running actions on this machine through the runner server. Everything that may happen is a
 * descriptor in one epoll set: replies, the grace period of a cancel, and a nudge for completions
 * that are known without waiting.
 */
#include "exec/local.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/array.h"
#include "exec/said.h"
#include "host/clock.h"
#include "host/failpoint.h"
#include "host/fs.h"
#include "host/process.h"

/* How long a cancelled runner has to stop its stage and tidy up before it is killed. */
enum { GRACE_MS = 700 };

struct job {
	uint64_t token;
	struct runner_request request; /* its texts are this struct's, the folders the executor's */
	char *address, *jobs_dir, *dev;
	struct runner runner;
	struct buf reply;
	char said[SAID_MOST]; /* "": nothing yet */
	bool started, cancelled;
	bool refused; /* there is no runner for it: err says why */
	struct err err;
};

struct local {
	struct executor base;
	struct runner_server *server;
	char *store_dir, *images_dir;
	const char *runtime;
	int userns_fd;
	size_t slots;
	bool paranoid, said;
	ARRAY(struct job *) running, queued;
	int epoll_fd, timer_fd, nudge_fd;
};

static struct job *job_free(struct job *job)
{
	if (job->started) {
		fs_close(job->runner.pidfd);
		fs_close(job->runner.reply_fd);
	}
	buf_deinit(&job->reply);
	free(job->address);
	free(job->jobs_dir);
	free(job->dev);
	free(job);
	return NULL;
}

static void kill_runner(const struct job *job)
{
	process_signal_with(job->runner.pidfd, SIGKILL, 0);
}

static int watch_fd(struct local *local, int fd, void *data, struct err *err)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = data };

	if (failpoint("runner-watch") || epoll_ctl(local->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return err_sys(err, ERR_IO, "cannot watch a runner");
	return 0;
}

static int start_job(struct local *local, struct job *job, struct err *err)
{
	if (runner_server_run(local->server, &job->request, &job->runner, err) < 0)
		return -1;
	job->started = true;
	fcntl(job->runner.reply_fd, F_SETFL, O_NONBLOCK);
	if (watch_fd(local, job->runner.reply_fd, job, err) == 0)
		return 0;
	/* Nobody would hear of its end; what it did before is heard of. */
	runner_cancel(&job->runner);
	return -1;
}

static void remove_at(struct local *local, size_t i)
{
	memmove(&local->running.v[i], &local->running.v[i + 1],
	        (local->running.n - i - 1) * sizeof(*local->running.v));
	local->running.n--;
}

static struct job *shift_queue(struct local *local)
{
	struct job *job = local->queued.v[0];

	local->queued.n--;
	memmove(local->queued.v, local->queued.v + 1, local->queued.n * sizeof(*local->queued.v));
	return job;
}

static bool is_over(const struct job *job)
{
	return job->cancelled || job->refused;
}

static void nudge(struct local *local)
{
	uint64_t one = 1;

	(void)!write(local->nudge_fd, &one, sizeof(one));
}

/* Starts what waits while slots are free. */
static void fill_slots(struct local *local)
{
	while (local->queued.n && !is_over(local->queued.v[0]) && local->running.n < local->slots) {
		struct job *job = local->queued.v[0];

		if (start_job(local, job, &job->err) < 0) {
			job->refused = true;
			nudge(local);
			return;
		}
		array_push(&local->running, shift_queue(local));
	}
}

static int local_submit(struct executor *executor, const struct exec_request *request,
                        struct err *err)
{
	struct local *local = (struct local *)executor;
	struct job *job;

	if (digest_is_none(request->action))
		return err_set(err, ERR_BUG, "%s is submitted without an action", request->address);
	job = alloc(sizeof(*job));

	job->token = request->token;
	job->address = str_dup(request->address ? request->address : "");
	job->jobs_dir = str_dup(request->jobs_dir ? request->jobs_dir : "");
	job->dev = str_dup(request->dev ? request->dev : "");
	job->reply = BUF_INIT(WIRE_REPLY_MAX);
	job->request = (struct runner_request){ .store_dir = local->store_dir,
		                                .images_dir = local->images_dir,
		                                .runtime = local->runtime,
		                                .address = job->address,
		                                .action = *request->action,
		                                .action_size = request->action_size,
		                                .epoch = request->epoch,
		                                .timeout_ms = request->timeout_ms,
		                                .memory = request->memory,
		                                .disk = request->disk,
		                                .processes = request->processes,
		                                .jobs = request->jobs,
		                                .nice = request->nice,
		                                .dev = job->dev,
		                                .jobs_style = request->jobs_style,
		                                .jobs_dir = job->jobs_dir,
		                                .paranoid = local->paranoid,
		                                .said = local->said,
		                                .network = request->network,
		                                .userns_fd = local->userns_fd };
	array_push(&local->queued, job);
	fill_slots(local);
	return 0;
}

/* Takes lines off what came; what is left is of the reply, or of a line that is not all there. */
static void take_said(struct job *job)
{
	struct str line = { 0 };
	size_t n = wire_take_said(buf_str(&job->reply), &line);

	if (!n)
		return;
	snprintf(job->said, sizeof(job->said), "%.*s", (int)line.n, line.p);
	job->reply.n -= n;
	memmove(job->reply.p, job->reply.p + n, job->reply.n + 1);
}

/* Reads what came. True when the runner has said everything. */
static bool read_reply(struct job *job)
{
	char chunk[65536];

	for (;;) {
		ssize_t n = failpoint("reply-read") ?
		                    -1 :
		                    read(job->runner.reply_fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return false;
		if (n <= 0)
			return true;
		buf_add(&job->reply, chunk, (size_t)n);
		take_said(job);
	}
}

static void set_broken(const struct job *job, bool told, struct exec_completion *ret)
{
	ret->status = EXEC_BROKEN;
	if (told)
		err_set(&ret->err, ERR_IO,
		        "the runner of %s was told to end (SIGTERM), and not by Kiln",
		        job->address);
	else
		err_set(&ret->err, ERR_IO, "the runner of %s ended without an answer",
		        job->address);
	err_hint(&ret->err, "was it killed, or is the machine out of memory? A run with "
	                    "a lower -j needs less");
}

/* A runner takes every SIGTERM for a cancel: whether it was one is known here. */
static void complete(struct job *job, struct arena *arena, struct exec_completion *ret)
{
	struct runner_reply reply = { .err = ERR_INIT };
	struct err err = ERR_INIT;
	const bool answered = wire_take_reply(arena, buf_str(&job->reply), &reply, &err) == 0;
	const bool told = answered && reply.status == EXEC_CANCELLED;

	*ret = (struct exec_completion){ .token = job->token, .err = ERR_INIT };
	if (answered && (!told || job->cancelled)) {
		ret->status = reply.status;
		ret->result = reply.result;
		ret->bytes_in = reply.bytes_in;
		ret->bytes_out = reply.bytes_out;
		ret->why = reply.why;
		ret->outside = reply.outside;
		ret->copied = reply.copied;
		ret->err = reply.err;
	} else if (job->cancelled) {
		ret->status = EXEC_CANCELLED;
	} else {
		set_broken(job, told, ret);
	}
}

/* A job that was cancelled before it was started, or that could not be. */
static bool take_unstarted(struct local *local, struct exec_completion *ret)
{
	struct job *job;

	if (!local->queued.n || !is_over(local->queued.v[0]))
		return false;
	job = shift_queue(local);
	*ret = (struct exec_completion){ .token = job->token, .err = job->err };
	ret->status = job->refused ? EXEC_BROKEN : EXEC_CANCELLED;
	job_free(job);
	if (!local->queued.n || !is_over(local->queued.v[0])) {
		uint64_t count;

		(void)!read(local->nudge_fd, &count, sizeof(count));
	}
	return true;
}

static void grace_is_over(struct local *local)
{
	uint64_t count;

	(void)!read(local->timer_fd, &count, sizeof(count));
	for (size_t i = 0; i < local->running.n; i++)
		if (local->running.v[i]->cancelled)
			kill_runner(local->running.v[i]);
}

/* Handles one event. True when *ret was filled. */
static bool handle(struct local *local, void *data, struct arena *arena,
                   struct exec_completion *ret)
{
	struct job *job = data;

	if (data == &local->nudge_fd)
		return take_unstarted(local, ret);
	if (data == &local->timer_fd) {
		grace_is_over(local);
		return false;
	}
	if (!read_reply(job))
		return false;
	for (size_t i = 0; i < local->running.n; i++)
		if (local->running.v[i] == job)
			remove_at(local, i);
	complete(job, arena, ret);
	job_free(job);
	return true;
}

static int local_wait(struct executor *executor, struct arena *arena, int timeout_ms,
                      struct exec_completion *ret, struct err *err)
{
	struct local *local = (struct local *)executor;
	int64_t deadline = timeout_ms < 0 ? 0 : clock_mono_us() + (int64_t)timeout_ms * 1000;
	bool done = false;

	while (!done) {
		struct epoll_event event;
		int64_t left = timeout_ms < 0 ? -1 : (deadline - clock_mono_us() + 999) / 1000;
		int n;

		fill_slots(local);
		if (take_unstarted(local, ret))
			break;
		if (!local->running.n)
			return EXECUTOR_IDLE;
		n = epoll_wait(local->epoll_fd, &event, 1,
		               timeout_ms < 0 ? -1 :
		               left < 0       ? 0 :
		                                (int)left);
		if (failpoint("runner-wait") || (n < 0 && errno != EINTR))
			return err_sys(err, ERR_IO, "cannot wait for runners");
		if (n > 0)
			done = handle(local, event.data.ptr, arena, ret);
		else if (timeout_ms >= 0 && clock_mono_us() >= deadline)
			return EXECUTOR_IDLE;
		else if (n < 0)
			return EXECUTOR_IDLE; /* a signal: the caller may want to act on it */
	}
	fill_slots(local);
	return 0;
}

static int local_poll_fd(struct executor *executor)
{
	return ((struct local *)executor)->epoll_fd;
}

static const char *local_said(struct executor *executor, uint64_t token)
{
	const struct local *local = (struct local *)executor;

	for (size_t i = 0; i < local->running.n; i++)
		if (local->running.v[i]->token == token && local->running.v[i]->said[0])
			return local->running.v[i]->said;
	return NULL;
}

/*
 * The newest first: a runner that was given the next stage before its last answer was read has two of them
 * here, and of two signals that wait for a process the kernel keeps the first.
 */
static void local_cancel(struct executor *executor)
{
	struct local *local = (struct local *)executor;
	struct itimerspec grace = { .it_value = { GRACE_MS / 1000, GRACE_MS % 1000 * 1000000L } };
	bool any = false;

	for (size_t i = local->running.n; i-- > 0;) {
		struct job *job = local->running.v[i];

		if (job->cancelled)
			continue;
		runner_cancel(&job->runner);
		job->cancelled = any = true;
	}
	for (size_t i = 0; i < local->queued.n; i++)
		local->queued.v[i]->cancelled = true;
	if (local->queued.n)
		nudge(local);
	if (any) /* nobody gets more time by another cancel */
		timerfd_settime(local->timer_fd, 0, &grace, NULL);
}

static void local_free(struct executor *executor)
{
	struct local *local = (struct local *)executor;

	for (size_t i = 0; i < local->running.n; i++) {
		kill_runner(local->running.v[i]);
		job_free(local->running.v[i]);
	}
	for (size_t i = 0; i < local->queued.n; i++)
		job_free(local->queued.v[i]);
	array_deinit(&local->running);
	array_deinit(&local->queued);
	fs_close(local->epoll_fd);
	fs_close(local->timer_fd);
	fs_close(local->nudge_fd);
	free(local->store_dir);
	free(local->images_dir);
	free(local);
}

static const struct executor_ops local_ops = {
	.name = "local",
	.submit = local_submit,
	.wait = local_wait,
	.poll_fd = local_poll_fd,
	.said = local_said,
	.cancel = local_cancel,
	.free = local_free,
};

static int open_fds(struct local *local, struct err *err)
{
	local->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	local->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	local->nudge_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (failpoint("queue-make") || local->epoll_fd < 0 || local->timer_fd < 0 ||
	    local->nudge_fd < 0)
		return err_sys(err, ERR_IO, "cannot make an event queue");
	if (watch_fd(local, local->timer_fd, &local->timer_fd, err) < 0)
		return -1;
	return watch_fd(local, local->nudge_fd, &local->nudge_fd, err);
}

/* Runners work at / in their own process: folders are passed as absolute paths. */
static int absolute(const char *dir, char **ret, struct err *err)
{
	int rc = fs_real_path(dir, ret, err);

	return rc > 0 ? err_set(err, ERR_IO, "the folder %s is not there", dir) : rc;
}

int executor_local_new(const struct executor_local_options *options, struct executor **ret,
                       struct err *err)
{
	struct local *local = alloc(sizeof(*local));

	local->base.ops = &local_ops;
	local->server = options->server;
	local->runtime = options->runtime->name;
	local->userns_fd = options->userns_fd;
	local->paranoid = options->paranoid;
	local->said = options->said;
	local->slots = options->slots > 0 ? (size_t)options->slots : 1;
	local->epoll_fd = local->timer_fd = local->nudge_fd = -1;
	if (absolute(options->store_dir, &local->store_dir, err) < 0 ||
	    absolute(options->images_dir, &local->images_dir, err) < 0 ||
	    open_fds(local, err) < 0) {
		local_free(&local->base);
		return -1;
	}
	*ret = &local->base;
	return 0;
}
