/* The executor of engine tests: actions become small files at once, in a chosen order. */
#include "fakes/executor.h"

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
};

static int fake_submit(struct executor *executor, const struct exec_request *request,
                       struct err *err)
{
	struct fake_executor *fake = (struct fake_executor *)executor;
	uint64_t one = 1;
	struct fake_job *job;

	if (fake->n_run == ARRAY_LEN(fake->ran))
		return err_set(err, ERR_BUG, "the fake executor keeps only so many addresses");
	fake->ran[fake->n_run++] = str_dup(request->address);
	fake->jobs = alloc_grow(fake->jobs, fake->n_jobs + 1, sizeof(*fake->jobs));
	job = &fake->jobs[fake->n_jobs++];
	*job = (struct fake_job){ .action = *request->action,
		                  .action_size = request->action_size,
		                  .token = request->token,
		                  .address = str_dup(request->address) };
	if (fake->n_jobs > fake->most_at_once)
		fake->most_at_once = fake->n_jobs;
	return write(fake->event_fd, &one, sizeof(one)) == (ssize_t)sizeof(one) ? 0 : -1;
}

/* A file with the action's digest and the output's path. */
static int make_output(struct fake_executor *fake, struct arena *arena, const struct digest *key,
                       const char *path, struct result_output *ret, struct err *err)
{
	const char *text = arena_fmt(arena, "%s %s\n", DIGEST_TEXT(key), path);

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
		if (make_output(fake, arena, &job->action, action.outputs[i].path, &ret->outputs[i],
		                err) < 0)
			return -1;
	ret->wall_us = 1000;
	return 0;
}

static int fake_wait(struct executor *executor, struct arena *arena, int timeout_ms,
                     struct exec_completion *ret, struct err *err)
{
	struct fake_executor *fake = (struct fake_executor *)executor;
	struct fake_job job;
	uint64_t count;
	size_t at;
	int rc = 0;

	(void)timeout_ms;
	if (!fake->n_jobs)
		return EXECUTOR_IDLE;
	at = fake->last_first ? fake->n_jobs - 1 : 0;
	job = fake->jobs[at];
	memmove(&fake->jobs[at], &fake->jobs[at + 1],
	        (fake->n_jobs - at - 1) * sizeof(*fake->jobs));
	if (!--fake->n_jobs && read(fake->event_fd, &count, sizeof(count)) < 0)
		rc = err_sys(err, ERR_BUG, "cannot read the fake executor's event");
	*ret = (struct exec_completion){ .token = job.token, .err = ERR_INIT };
	if (rc == 0)
		rc = make_result(fake, arena, &job, &ret->result, err);
	if (job.cancelled) {
		ret->status = EXEC_CANCELLED;
	} else if (fake->fail && str_eq(fake->fail, job.address)) {
		ret->status = EXEC_FAILED;
		ret->result.exit_code = 1;
		ret->result.n_outputs = 0;
		ret->why = fake->fail_why ? fake->fail_why : "exit status 1";
	} else if (fake->broken && str_eq(fake->broken, job.address)) {
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
	*fake = (struct fake_executor){ .base.ops = &fake_ops, .blobs = blobs };
	fake->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	bug_on(fake->event_fd < 0);
}

void fake_executor_deinit(struct fake_executor *fake)
{
	for (size_t i = 0; i < fake->n_run; i++)
		free(fake->ran[i]);
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
