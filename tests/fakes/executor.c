/* The executor of engine tests: actions become small files at once, in a chosen order. */
#include "fakes/executor.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"

struct fake_job {
	struct digest action;
	uint64_t action_size, token;
	char *address;
	bool cancelled;
	double left_us; /* with a pace: on a processor of its own */
	bool nice;
};

static bool is_one_of(const char *glob, const char *address)
{
	return glob && str_glob(glob, address);
}

static bool is_held(const struct fake_executor *fake, const struct fake_job *job)
{
	return !job->cancelled && is_one_of(fake->hold, job->address);
}

/* Processors that a job has: one, or of what the others leave a part. */
static double share_of(const struct fake_executor *fake, const struct fake_job *job)
{
	double nice = 0, others = 0, processors = (double)fake->pace->processors;

	for (size_t i = 0; i < fake->n_jobs; i++)
		*(fake->jobs[i].nice ? &nice : &others) += 1;
	if (nice + others <= processors)
		return 1;
	if (!job->nice)
		return others <= processors ? 1 : processors / others;
	return others < processors ? (processors - others) / nice : 1e-9;
}

static size_t next_paced(const struct fake_executor *fake)
{
	size_t found = 0;

	for (size_t i = 1; i < fake->n_jobs; i++)
		if (fake->jobs[i].left_us / share_of(fake, &fake->jobs[i]) <
		    fake->jobs[found].left_us / share_of(fake, &fake->jobs[found]))
			found = i;
	return found;
}

/* Time goes on until the next job ends. */
static void pass_time(struct fake_executor *fake, size_t at)
{
	double us = fake->jobs[at].left_us / share_of(fake, &fake->jobs[at]);
	double *left = alloc_array(fake->n_jobs, sizeof(*left));

	for (size_t i = 0; i < fake->n_jobs; i++)
		left[i] = fake->jobs[i].left_us - us * share_of(fake, &fake->jobs[i]);
	for (size_t i = 0; i < fake->n_jobs; i++)
		fake->jobs[i].left_us = left[i] > 0 ? left[i] : 0;
	fake->pace->now_us += us;
	free(left);
}

/* The job whose completion is next, or n_jobs. */
static size_t next_job(const struct fake_executor *fake)
{
	size_t found = fake->n_jobs;

	if (fake->pace && fake->n_jobs)
		return next_paced(fake);
	for (size_t i = 0; i < fake->n_jobs; i++)
		if (!is_held(fake, &fake->jobs[i]) && (found == fake->n_jobs || fake->last_first))
			found = i;
	return found;
}

/* The descriptor is readable while a completion waits. */
static int show_readiness(struct fake_executor *fake, struct err *err)
{
	uint64_t count = 1;
	ssize_t n;

	if (next_job(fake) < fake->n_jobs)
		n = write(fake->event_fd, &count, sizeof(count));
	else
		n = read(fake->event_fd, &count, sizeof(count));
	if (n < 0 && errno != EAGAIN)
		return err_sys(err, ERR_BUG, "the fake executor's event is lost");
	return 0;
}

static void note_start(struct fake_executor *fake, const struct exec_request *request)
{
	struct buf beside = BUF_INIT(1 << 16);
	size_t n = fake->n_run++;

	for (size_t i = 0; i < fake->n_jobs; i++)
		buf_fmt(&beside, "%s%s", i ? " " : "", fake->jobs[i].address);
	if ((n & (n + 1)) == 0) { /* room for the next power of two */
		fake->ran = alloc_grow(fake->ran, 2 * n + 1, sizeof(*fake->ran));
		fake->starts = alloc_grow(fake->starts, 2 * n + 1, sizeof(*fake->starts));
	}
	fake->ran[n] = str_dup(request->address);
	fake->starts[n].request = *request;
	fake->starts[n].request.address = NULL;
	fake->starts[n].request.action = NULL;
	fake->starts[n].beside = buf_steal(&beside);
}

static int fake_submit(struct executor *executor, const struct exec_request *request,
                       struct err *err)
{
	struct fake_executor *fake = (struct fake_executor *)executor;
	struct fake_job *job;

	if (is_one_of(fake->refuse, request->address))
		return err_set(err, ERR_MACHINE, "the fake machine takes no %s", request->address);
	note_start(fake, request);
	fake->jobs = alloc_grow(fake->jobs, fake->n_jobs + 1, sizeof(*fake->jobs));
	job = &fake->jobs[fake->n_jobs++];
	*job = (struct fake_job){ .action = *request->action,
		                  .action_size = request->action_size,
		                  .token = request->token,
		                  .address = str_dup(request->address),
		                  .nice = request->nice > 0 };
	if (fake->pace)
		job->left_us = (double)*(int64_t *)map_get(fake->pace->durations, request->address);
	if (fake->n_jobs > fake->most_at_once)
		fake->most_at_once = fake->n_jobs;
	return show_readiness(fake, err);
}

/* A file with the action's digest and the output's path. */
static int make_output(struct fake_executor *fake, struct arena *arena, const struct fake_job *job,
                       const char *path, struct result_output *ret, struct err *err)
{
	bool constant = is_one_of(fake->constant, job->address);
	const char *text =
		arena_fmt(arena, "%s %s\n", constant ? "" : DIGEST_TEXT(&job->action), path);

	ret->path = path;
	ret->node = arena_alloc(arena, sizeof(*ret->node));
	ret->node->name = "";
	ret->node->kind = NODE_FILE;
	return blobs_put(fake->blobs, text, strlen(text), &ret->node->ref, err);
}

static int make_result(struct fake_executor *fake, struct arena *arena, const struct fake_job *job,
                       struct result *ret, struct err *err)
{
	struct blob_ref ref = { job->action, job->action_size };
	_cleanup_buf_ struct buf bytes = BUF_INIT(1 << 20);
	struct action action;
	const char *said = arena_fmt(arena, "ran %s\n", job->address);

	if (blobs_read(fake->blobs, &ref, &bytes, err) != 0)
		return err_set(err, ERR_BUG, "the action of %s is not in the blobs", job->address);
	if (action_decode(arena, buf_str(&bytes), &action, err) < 0 ||
	    blobs_put(fake->blobs, said, strlen(said), &ret->out, err) < 0 ||
	    blobs_put(fake->blobs, "", 0, &ret->log, err) < 0)
		return -1;
	ret->outputs = arena_array(arena, action.n_outputs, sizeof(*ret->outputs));
	ret->n_outputs = action.n_outputs;
	for (size_t i = 0; i < action.n_outputs; i++)
		if (make_output(fake, arena, job, action.outputs[i].path, &ret->outputs[i], err) <
		    0)
			return -1;
	ret->wall_us = fake->pace ? *(int64_t *)map_get(fake->pace->durations, job->address) :
	                            fake->wall_us;
	return 0;
}

static int fake_wait(struct executor *executor, struct arena *arena, int timeout_ms,
                     struct exec_completion *ret, struct err *err)
{
	struct fake_executor *fake = (struct fake_executor *)executor;
	struct fake_job job;
	size_t at = next_job(fake);
	int rc;

	(void)timeout_ms;
	if (at == fake->n_jobs)
		return EXECUTOR_IDLE;
	if (fake->pace) {
		fake->pace->told = !fake->pace->told;
		if (!fake->pace->told)
			return EXECUTOR_IDLE;
		pass_time(fake, at);
	}
	job = fake->jobs[at];
	memmove(&fake->jobs[at], &fake->jobs[at + 1],
	        (fake->n_jobs - at - 1) * sizeof(*fake->jobs));
	fake->n_jobs--;
	rc = show_readiness(fake, err);
	*ret = (struct exec_completion){ .token = job.token, .err = ERR_INIT };
	if (rc == 0)
		rc = make_result(fake, arena, &job, &ret->result, err);
	if (job.cancelled) {
		ret->status = EXEC_CANCELLED;
	} else if (is_one_of(fake->fail, job.address)) {
		ret->status = EXEC_FAILED;
		ret->result.exit_code = 1;
		ret->result.n_outputs = 0;
		ret->why = fake->fail_why ? fake->fail_why : "exit status 1";
	} else if (fake->luck && fake->unlucky >= fake->luck) {
		ret->status = EXEC_OK;
	} else if (is_one_of(fake->killed, job.address)) {
		fake->unlucky++;
		ret->status = EXEC_FAILED;
		ret->result.exit_code = 137;
		ret->why = "killed by signal 9";
		ret->outside = true;
	} else if (is_one_of(fake->broken, job.address)) {
		fake->unlucky++;
		ret->status = EXEC_BROKEN;
		err_set(&ret->err, ERR_IO, "the fake machine broke while it ran %s", job.address);
	}
	free(job.address);
	return rc;
}

static int fake_poll_fd(struct executor *executor)
{
	return ((struct fake_executor *)executor)->event_fd;
}

static void fake_cancel(struct executor *executor)
{
	struct fake_executor *fake = (struct fake_executor *)executor;

	for (size_t i = 0; i < fake->n_jobs; i++)
		fake->jobs[i].cancelled = true;
	show_readiness(fake, &(struct err){ .code = ERR_NONE });
}

static void fake_free(struct executor *executor)
{
	fake_executor_deinit((struct fake_executor *)executor);
}

static const struct executor_ops fake_ops = {
	.name = "fake",
	.submit = fake_submit,
	.wait = fake_wait,
	.poll_fd = fake_poll_fd,
	.cancel = fake_cancel,
	.free = fake_free,
};

void fake_executor_init(struct fake_executor *fake, struct blobs *blobs)
{
	*fake = (struct fake_executor){ .base.ops = &fake_ops, .blobs = blobs, .wall_us = 1000 };
	fake->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	bug_on(fake->event_fd < 0);
}

void fake_executor_deinit(struct fake_executor *fake)
{
	for (size_t i = 0; i < fake->n_run; i++) {
		free(fake->ran[i]);
		free(fake->starts[i].beside);
	}
	free(fake->ran);
	free(fake->starts);
	for (size_t i = 0; i < fake->n_jobs; i++)
		free(fake->jobs[i].address);
	free(fake->jobs);
	if (fake->event_fd > 0)
		close(fake->event_fd);
	*fake = (struct fake_executor){ .event_fd = -1 };
}

size_t fake_executor_count(const struct fake_executor *fake, const char *address)
{
	size_t n = 0;

	for (size_t i = 0; i < fake->n_run; i++)
		n += str_eq(fake->ran[i], address) ? 1 : 0;
	return n;
}
