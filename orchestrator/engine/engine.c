/*
 * The loop: nodes become ready when what they take is there, get a key, are found in the store or
 * run (states.c). One thread; all waiting is in wait_for_something.
 *
 * Order: a node's rank is the estimated time from its start to the end of everything that hangs on
 * it. The highest rank starts first and runs at normal priority; what starts beside it is nice, so
 * that it fills the processors that the critical path leaves idle without delaying it.
 */
#include "engine/engine.h"

#include <errno.h>
#include <poll.h>

#include "base/alloc.h"
#include "base/map.h"
#include "engine/engine_impl.h"
#include "engine/estimate.h"
#include "engine/inputs.h"
#include "exec/dev.h"
#include "host/clock.h"
#include "host/failpoint.h"
#include "store/place.h"

enum { TICK_MS = 250, DRAIN_MS = 5000, NICE_FILLER = 10 };

/* ---- starting a stage ------------------------------------------------------------------------ */

static bool is_critical(const struct engine *e, size_t at)
{
	for (size_t i = 0; i < e->resources.running; i++)
		if (e->nodes[e->running[i]].rank > e->nodes[at].rank)
			return false;
	return true;
}

/* Kiln's own code starts no jobs, and who measures is not to share. */
static int open_jobs(struct engine *e, size_t at, struct exec_request *request, struct err *err)
{
	const struct engine_request *r = e->request;
	const struct plan_node *node = &e->plan->nodes[at];

	if (!r->jobserver || node->lowered->action.builtin || node->lowered->needs->exclusive)
		return 0;
	request->jobs_style = r->jobs_style(r->jobs_style_data, node->image);
	return request->jobs_style == JOBSERVER_NONE ?
	               0 :
	               jobserver_open(r->jobserver, at, &request->jobs_dir, err);
}

static int start(struct engine *e, size_t at, struct err *err)
{
	const struct plan_node *node = &e->plan->nodes[at];
	struct engine_node *n = &e->nodes[at];
	struct event event = { .action = n->action };
	_cleanup_free_ char *dev = NULL;
	struct exec_request request = {
		.action = &n->action,
		.action_size = n->action_size,
		.address = node->stage->address,
		.epoch = e->request->facts->epoch,
		.timeout_ms = node->lowered->needs->timeout_ms,
		.memory = node->lowered->needs->memory,
		.disk = node->lowered->needs->disk,
		.processes = node->lowered->needs->processes,
		.jobs = e->request->jobs,
		.nice = is_critical(e, at) ? 0 : NICE_FILLER,
		.token = at,
	};

	if (engine_is_dev(e, at)) {
		dev = dev_name(engine_kept(e, at));
		request.dev = dev;
	}
	if (engine_bring_sources(e, at, err) < 0 || engine_keep_origins(e, at, err) < 0 ||
	    open_jobs(e, at, &request, err) < 0 ||
	    e->request->executor->ops->submit(e->request->executor, &request, err) < 0)
		return -1;
	n->state = NODE_RUNNING;
	if (!n->stint)
		n->stint = arena_alloc(e->arena, sizeof(*n->stint));
	n->stint->started_us = clock_mono_us();
	n->stint->tries++;
	schedule_started(e, at);
	engine_emit(e, EVENT_START, node, &event);
	return 0;
}

static int start_ready(struct engine *e, struct err *err)
{
	size_t at;
	int rc = 0;

	if (ready_first(&e->ready, &at) && engine_check_sources(e, err) < 0)
		return -1;
	while (rc == 0 && !e->stopping && !e->request->dry) {
		rc = schedule_take(e, &at, err);
		if (rc == 0)
			rc = engine_claim(e, at, err);
		else
			break;
		if (rc == 0)
			rc = start(e, at, err);
		else if (rc > 0) { /* another process runs it, or has; the next one may start */
			schedule_passed(e, at);
			rc = 0;
		}
	}
	schedule_share(e);
	return rc < 0 ? -1 : 0;
}

/* ---- ending ------------------------------------------------------------------------------- */

static int on_ok(struct engine *e, size_t at, struct exec_completion *done, struct err *err)
{
	struct engine_node *n = &e->nodes[at];

	n->result = arena_dup(e->arena, &done->result, sizeof(done->result));
	n->dev = engine_is_dev(e, at);
	if (engine_put_result(e, at, &done->result, err) < 0)
		return -1;
	engine_release_claim(e, at);
	engine_finish(e, at, NODE_DONE, done->result.wall_us);
	return engine_finish_twins(e, at, err);
}

static int on_failed(struct engine *e, size_t at, struct exec_completion *done, struct err *err)
{
	const struct plan_node *node = &e->plan->nodes[at];
	struct engine_node *n = &e->nodes[at];
	struct event event = {
		.wall_us = done->result.wall_us,
		.action = n->action,
		.exit_code = done->result.exit_code,
		.why = done->why,
		.tail = log_tail(store_blobs(e->request->store), e->arena, &done->result),
	};

	n->state = NODE_FAILED;
	n->result = arena_dup(e->arena, &done->result, sizeof(done->result));
	e->result->n_failed++;
	e->n_left--;
	if (engine_put_failure(e, at, &done->result, err) < 0)
		return -1;
	err_set(&e->first, ERR_STAGE, "%s failed: %s", node->stage->address,
	        done->why ? done->why : "no reason given");
	engine_emit(e, EVENT_FAILED, node, &event);
	engine_skip_twins(e, at);
	engine_on_first_failure(e);
	return 0;
}

static void leave_undone(struct engine *e, size_t at)
{
	engine_skip(e, at);
	engine_skip_twins(e, at);
}

/* Kiln or the machine, not the stage: the run fails by it, whatever stages did. */
static void on_broken(struct engine *e, size_t at, struct exec_completion *done)
{
	const struct plan_node *node = &e->plan->nodes[at];
	struct event event = { .why = arena_fmt(e->arena, "it could not be run: %s",
		                                done->err.cause) };

	if (e->broken.code == ERR_NONE) {
		e->broken = done->err;
		err_while(&e->broken, "running %s", node->stage->address);
	} else { /* the first is what the run ends with */
		engine_emit(e, EVENT_NOTE, node, &event);
	}
	leave_undone(e, at);
	engine_on_first_failure(e);
}

/* What it did with the job server's tokens, which the pool has again. */
static void close_jobs(struct engine *e, size_t at)
{
	struct engine_stint *stint = e->nodes[at].stint;
	struct jobserver_end end;
	struct event event = { 0 };

	if (!e->request->jobserver)
		return;
	jobserver_close(e->request->jobserver, at, &end);
	stint->tokens = 0;
	if (end.most > stint->most_tokens)
		stint->most_tokens = end.most;
	if (!end.surplus)
		return;
	event.why = arena_fmt(e->arena,
	                      "it gave back %d tokens of the job server that it was not lent; "
	                      "they were ignored",
	                      end.surplus);
	engine_emit(e, EVENT_NOTE, &e->plan->nodes[at], &event);
}

static void tell_copied(struct engine *e, size_t at)
{
	struct event event = {
		.why = "it failed where a folder that it takes cannot be moved or removed, and was "
		       "run again with a copy of it"
	};

	engine_emit(e, EVENT_NOTE, &e->plan->nodes[at], &event);
}

/* Whether what ended it came from outside, and it may be tried once more: then it will be. */
static bool try_again(struct engine *e, size_t at, const struct exec_completion *done)
{
	struct event event = { .action = e->nodes[at].action };
	bool outside =
		done->status == EXEC_BROKEN || (done->status == EXEC_FAILED && done->outside);

	if (!outside || e->stopping ||
	    e->nodes[at].stint->tries > e->plan->nodes[at].lowered->needs->retries)
		return false;
	schedule_again(e, at);
	event.why = arena_str(e->arena, done->why ? done->why : done->err.cause);
	engine_emit(e, EVENT_AGAIN, &e->plan->nodes[at], &event);
	return true;
}

static int on_completion(struct engine *e, struct exec_completion *done, struct err *err)
{
	size_t at = (size_t)done->token;

	schedule_ended(e, at);
	close_jobs(e, at);
	e->nodes[at].stint->bytes_in = done->bytes_in;
	e->nodes[at].stint->bytes_out = done->bytes_out;
	if (done->copied)
		tell_copied(e, at);
	if (try_again(e, at, done))
		return 0;
	if (done->status != EXEC_OK) /* else when the result is recorded */
		engine_release_claim(e, at);
	switch (done->status) {
	case EXEC_OK:
		return on_ok(e, at, done, err);
	case EXEC_FAILED:
		return on_failed(e, at, done, err);
	case EXEC_CANCELLED:
		leave_undone(e, at);
		engine_skip_dependants(e);
		return 0;
	case EXEC_BROKEN:
		break;
	}
	on_broken(e, at, done);
	return 0;
}

static void cancel(struct engine *e)
{
	if (!e->cancelled)
		e->request->executor->ops->cancel(e->request->executor);
	e->cancelled = e->stopping = true;
}

/* What the executor has of it lies there only until something ends. */
static void look_said(struct engine *e, bool forget)
{
	struct executor *executor = e->request->executor;

	for (size_t i = 0; executor->ops->said && i < e->resources.running; i++)
		e->nodes[e->running[i]].stint->said =
			forget ? NULL : executor->ops->said(executor, e->running[i]);
}

/* Clocks tick at a fixed pace, whatever else happens. */
static void tick(struct engine *e, bool at_once)
{
	int64_t now = clock_mono_us();
	struct event event = { 0 };

	if (!at_once && now < e->next_tick_us)
		return;
	e->next_tick_us = now + TICK_MS * 1000;
	look_said(e, false);
	engine_emit(e, EVENT_TICK, NULL, &event);
	look_said(e, true);
}

static int tick_in_ms(const struct engine *e)
{
	int64_t left = e->next_tick_us - clock_mono_us();

	return left > 0 ? (int)(left / 1000) + 1 : 0;
}

/* Sleeps until a stage ended, the user cancelled, a signal came, or it is time for a tick. */
static int wait_for_something(struct engine *e, struct err *err)
{
	struct executor *executor = e->request->executor;
	struct jobserver *js = e->request->jobserver;
	struct pollfd fds[3] = {
		{ .fd = executor->ops->poll_fd(executor), .events = POLLIN },
		{ .fd = e->cancelled ? -1 : e->request->cancel_fd, .events = POLLIN },
		{ .fd = js ? jobserver_fd(js) : -1, .events = POLLIN },
	};
	struct exec_completion done;
	int n = failpoint("stages-wait") ? -1 : poll(fds, 3, tick_in_ms(e));
	bool signalled = n < 0 && errno == EINTR;

	if (n < 0 && !signalled)
		return err_sys(err, ERR_IO, "cannot wait for stages");
	if (n > 0 && fds[1].revents)
		cancel(e);
	for (;;) {
		int rc = executor->ops->wait(executor, e->arena, 0, &done, err);

		if (rc < 0)
			return -1;
		if (rc == EXECUTOR_IDLE)
			break;
		if (on_completion(e, &done, err) < 0)
			return -1;
	}
	schedule_wake(e);
	tick(e, signalled);
	return engine_look_elsewhere(e, err);
}

/* ---- the run ------------------------------------------------------------------------------ */

/* What the last runs say. */
static int look_back(struct engine *e, struct err *err)
{
	const struct engine_request *r = e->request;

	if (r->ledger)
		ledger_begin(r->ledger, e->plan, e->nodes);
	if (!(r->ledger && ledger_knows_all(r->ledger)) &&
	    estimate_look(r->store, e->plan, r->recipe, e->nodes, err) < 0)
		return -1;
	estimate_ranks(e->plan, e->nodes);
	return 0;
}

static int begin(struct engine *e, struct err *err)
{
	const struct plan *plan = e->plan;
	struct event event = { 0 };

	for (size_t i = 0; i < plan->n_wanted; i++) {
		size_t at = plan->order[i];
		const struct plan_node *node = &plan->nodes[at];
		struct engine_node *n = &e->nodes[at];

		n->pending = node->pinned ? 0 : node->n_deps;
		n->twin = at;
		if (!node->pinned)
			e->n_left++;
	}
	if ((e->request->dry && engine_check_sources(e, err) < 0) || look_back(e, err) < 0)
		return -1;
	engine_emit(e, EVENT_BEGIN, NULL, &event);
	for (size_t i = 0; i < plan->n_wanted; i++) {
		size_t at = plan->order[i];

		if (plan->nodes[at].pinned) {
			e->nodes[at].state = NODE_PINNED;
			engine_release_users(e, at);
		} else if (plan->nodes[at].n_deps == 0) {
			e->fresh[e->n_fresh++] = at;
		}
	}
	return 0;
}

/* The run is over: whatever did not start is told as skipped. */
static void skip_rest(struct engine *e)
{
	for (size_t i = 0; i < e->plan->n_wanted; i++) {
		enum node_state state = e->nodes[e->plan->order[i]].state;

		if (state == NODE_WANT || state == NODE_READY)
			engine_skip(e, e->plan->order[i]);
	}
}

/* For another process, or for its time. */
static bool waits(const struct engine *e)
{
	return e->n_elsewhere > 0 || e->n_again > 0 || e->outside;
}

static int loop(struct engine *e, struct err *err)
{
	if (begin(e, err) < 0)
		return -1;
	for (;;) {
		if (engine_make_fresh_ready(e, err) < 0 || start_ready(e, err) < 0)
			return -1;
		if (e->n_fresh) /* what another process made, was found when it was to start */
			continue;
		if (e->resources.running == 0 && (e->stopping || !waits(e)))
			break;
		if (wait_for_something(e, err) < 0)
			return -1;
	}
	if (e->stopping)
		skip_rest(e);
	return 0;
}

/* Takes what ends within a time. A result is kept, if that still works: it was paid for. */
static void drain_some(struct engine *e, int timeout_ms)
{
	struct executor *executor = e->request->executor;
	struct exec_completion done;
	struct err ignored = ERR_INIT;

	while (e->resources.running > 0 &&
	       executor->ops->wait(executor, e->arena, timeout_ms, &done, &ignored) == 0) {
		size_t at = (size_t)done.token;

		schedule_ended(e, at);
		if (done.status == EXEC_OK)
			engine_put_result(e, at, &done.result, &ignored);
	}
}

/* After an error of Kiln's own: nothing may be left running. */
static void drain(struct engine *e)
{
	if (e->resources.running == 0)
		return;
	drain_some(e, 0);
	e->request->executor->ops->cancel(e->request->executor);
	drain_some(e, DRAIN_MS);
}

static int verdict(struct engine *e, struct err *err)
{
	if (e->cancelled)
		return err_set(err, ERR_INTERRUPTED,
		               "interrupted; %zu finished stages are kept, run the same command to "
		               "go on",
		               e->result->n_run + e->result->n_cached);
	if (e->broken.code != ERR_NONE || e->first.code != ERR_NONE) {
		*err = e->broken.code != ERR_NONE ? e->broken : e->first;
		return -1;
	}
	bug_on(e->n_left != 0 && !e->request->dry);
	return 0;
}

static int find_placements(void *data, size_t at, struct arena *arena, struct placement *ret,
                           struct err *err)
{
	const struct engine *e = data;
	const struct plan_node *node = &e->plan->nodes[at];

	for (size_t i = 0; i < node->n_inputs; i++)
		if (inputs_find(e->unkept, arena, e->plan, e->request->facts, e->nodes, node, i,
		                &ret[i], err) != 0)
			return -1;
	return 0;
}

int engine_run(struct arena *arena, const struct engine_request *request, struct engine_result *ret,
               struct err *err)
{
	size_t n = request->plan->n_nodes;
	struct engine e = {
		.arena = arena,
		.request = request,
		.plan = request->plan,
		.result = ret,
		.by_action = map_new_borrowing(),
		.unkept = blobs_unkept(store_blobs(request->store)),
		.first = ERR_INIT,
		.broken = ERR_INIT,
		.started_us = clock_mono_us(),
	};
	struct event event = { 0 };
	int rc;

	*ret = (struct engine_result){ .nodes = arena_array(arena, n, sizeof(*ret->nodes)) };
	e.nodes = ret->nodes;
	schedule_init(&e);
	e.fresh = arena_array(arena, n, sizeof(*e.fresh));
	e.keyed = arena_array(arena, n, sizeof(*e.keyed));
	e.elsewhere = arena_array(arena, n, sizeof(*e.elsewhere));
	e.claimed = arena_array(arena, n, sizeof(*e.claimed));
	rc = loop(&e, err);
	if (rc < 0)
		drain(&e);
	else
		rc = verdict(&e, err);
	if (rc == 0 && request->ledger && !request->dry)
		ledger_end(request->ledger, e.nodes, find_placements, &e);
	for (size_t i = 0; i < n; i++)
		engine_release_claim(&e, i);
	ret->wall_us = clock_mono_us() - e.started_us;
	engine_emit(&e, EVENT_END, NULL, &event);
	map_free(e.by_action);
	blobs_free(e.unkept);
	return rc;
}
