#include "cli/late.h"

#include "base/path.h"
#include "cli/print.h"
#include "cli/runtime.h"
#include "engine/resources.h"
#include "exec/local.h"

struct late {
	struct executor base;
	struct session *session;
	struct executor *real; /* NULL: nothing was submitted yet */
};

static struct executor *real_of(const struct executor *executor)
{
	return ((const struct late *)executor)->real;
}

static int open_real(struct late *late, struct err *err)
{
	struct session *s = late->session;
	_cleanup_free_ char *images = path_join(store_dir(s->store), "images");

	if (session_choose_runtime(s, err) < 0)
		return -1;
	const struct executor_local_options options = {
		.server = s->cli->server,
		.store_dir = store_dir(s->store),
		.images_dir = images,
		.runtime = s->runtime,
		.userns_fd = s->userns_fd,
		.slots = (int)resources_slots(s->cli->jobs),
		.paranoid = s->paranoid,
		.said = print_is_live(s->cli),
	};
	return executor_local_new(&options, &late->real, err);
}

static int late_submit(struct executor *executor, const struct exec_request *request,
                       struct err *err)
{
	struct late *late = (struct late *)executor;

	if (!late->real && open_real(late, err) < 0)
		return -1;
	return late->real->ops->submit(late->real, request, err);
}

static int late_wait(struct executor *executor, struct arena *arena, int timeout_ms,
                     struct exec_completion *ret, struct err *err)
{
	struct executor *real = real_of(executor);

	return real ? real->ops->wait(real, arena, timeout_ms, ret, err) : EXECUTOR_IDLE;
}

static int late_poll_fd(struct executor *executor)
{
	struct executor *real = real_of(executor);

	return real ? real->ops->poll_fd(real) : -1;
}

static const char *late_said(struct executor *executor, uint64_t token)
{
	struct executor *real = real_of(executor);

	return real && real->ops->said ? real->ops->said(real, token) : NULL;
}

static void late_cancel(struct executor *executor)
{
	struct executor *real = real_of(executor);

	if (real)
		real->ops->cancel(real);
}

static void late_free(struct executor *executor)
{
	struct executor *real = real_of(executor);

	if (real)
		real->ops->free(real);
	free(executor);
}

static const struct executor_ops ops = {
	.name = "local",
	.submit = late_submit,
	.wait = late_wait,
	.poll_fd = late_poll_fd,
	.said = late_said,
	.cancel = late_cancel,
	.free = late_free,
};

struct executor *late_executor_new(struct session *session)
{
	struct late *late = alloc(sizeof(*late));

	late->base.ops = &ops;
	late->session = session;
	return &late->base;
}
