/*
 * A run as a trace that Perfetto and Chrome open (Trace Event Format, JSON array): one row a stage that
 * runs at the same time as others, so that rows are what the machine was busy with. Whatever ends the
 * run, what was written before is a trace: the format needs no end, so commas stand before events.
 */
#include "report/progress.h"

#include <string.h>

#include "base/alloc.h"
#include "base/array.h"
#include "base/str.h"
#include "engine/engine.h"
#include "external/json.h"
#include "host/clock.h"
#include "report/sink.h"

struct lane {
	const struct plan_node *node; /* what runs in it; NULL: it is free */
	int64_t started_us;
};

struct trace {
	struct progress base;
	int64_t began_us; /* monotonic: the trace's zero */
	ARRAY(struct lane) lanes;
	json_int_t tokens; /* lent, as told last */
	bool begun;        /* the first event is written */
};

enum { PROCESS = 1, FIRST_LANE = 1 };

static void put(struct trace *t, json_t *json)
{
	_cleanup_buf_ struct buf text = BUF_INIT(TEXT_MOST);

	json_object_set_new(json, "pid", json_integer(PROCESS));
	buf_add_str(&text, t->begun ? "," : "[\n");
	t->begun = true;
	json_write_canonical(json, &text);
	buf_add_char(&text, '\n');
	progress_put(&t->base, &text);
	json_decref(json);
}

static void put_name(struct trace *t, const char *what, size_t lane, const char *name)
{
	put(t, json_pack("{s:s,s:s,s:I,s:{s:s}}", "ph", "M", "name", what, "tid", (json_int_t)lane,
	                 "args", "name", name));
}

static void put_text(struct trace *t, const char *text)
{
	t->base.output->write(t->base.output, text, strlen(text));
}

static void begin(struct trace *t)
{
	t->began_us = clock_mono_us();
	put_name(t, "process_name", 0, "kiln");
}

static void enter_lane(struct trace *t, const struct plan_node *node)
{
	size_t i = 0;

	while (i < t->lanes.n && t->lanes.v[i].node)
		i++;
	if (i == t->lanes.n) {
		_cleanup_free_ char *name = str_fmt("slot %zu", i + 1);

		array_add(&t->lanes);
		put_name(t, "thread_name", i + FIRST_LANE, name);
	}
	t->lanes.v[i] = (struct lane){ node, clock_mono_us() };
}

/* The lane that a stage ran in, free again; false where it never started. */
static bool leave_lane(struct trace *t, const struct plan_node *node, size_t *ret,
                       int64_t *ret_started_us)
{
	for (size_t i = 0; i < t->lanes.n; i++)
		if (t->lanes.v[i].node == node) {
			*ret = i + FIRST_LANE;
			*ret_started_us = t->lanes.v[i].started_us;
			t->lanes.v[i].node = NULL;
			return true;
		}
	return false;
}

/* What is known of a run; times in microseconds, memory in bytes. */
static void add_figures(json_t *args, const struct engine_node *n)
{
	const struct engine_stint *stint = n->stint;

	json_object_set_new(args, "queued_us", json_integer(stint->started_us - n->ready_us));
	json_object_set_new(args, "user_us", json_integer(n->result->user_us));
	json_object_set_new(args, "system_us", json_integer(n->result->system_us));
	json_object_set_new(args, "peak_bytes", json_integer(n->result->peak_bytes));
	json_object_set_new(args, "bytes_in", json_integer((json_int_t)stint->bytes_in));
	json_object_set_new(args, "bytes_out", json_integer((json_int_t)stint->bytes_out));
	json_object_set_new(args, "most_tokens", json_integer(stint->most_tokens));
}

static json_t *arguments(const struct event *e)
{
	const struct engine_node *n = e->nodes ? &e->nodes[e->node - e->plan->nodes] : NULL;
	json_t *args = json_pack("{s:s,s:s,s:s}", "stage", e->node->stage->address, "kind",
	                         e->node->stage->kind, "where", e->node->stage->where);

	if (!digest_is_none(&e->action))
		json_object_set_new(args, "action", json_string(DIGEST_TEXT(&e->action)));
	if (e->why)
		json_object_set_new(args, "why", json_any_text(e->why));
	if (n && n->stint && (e->kind == EVENT_DONE || e->kind == EVENT_FAILED))
		add_figures(args, n);
	return args;
}

static void put_run(struct trace *t, const struct event *e, const char *how)
{
	size_t lane;
	int64_t started;

	if (!leave_lane(t, e->node, &lane, &started))
		return;
	put(t, json_pack("{s:s,s:s,s:s,s:I,s:I,s:I,s:o}", "ph", "X", "name",
	                 e->node->stage->address, "cat", how, "tid", (json_int_t)lane, "ts",
	                 (json_int_t)(started - t->began_us), "dur",
	                 (json_int_t)(clock_mono_us() - started), "args", arguments(e)));
}

static void put_instant(struct trace *t, const struct event *e, const char *what)
{
	put(t, json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:o}", "ph", "i", "s", "p", "name",
	                 e->node->stage->address, "cat", what, "tid", (json_int_t)0, "ts",
	                 (json_int_t)(clock_mono_us() - t->began_us), "args", arguments(e)));
}

static void put_counts(struct trace *t, const struct event *e)
{
	put(t, json_pack("{s:s,s:s,s:I,s:I,s:{s:I,s:I}}", "ph", "C", "name", "stages", "tid",
	                 (json_int_t)0, "ts", (json_int_t)(clock_mono_us() - t->began_us), "args",
	                 "running", (json_int_t)e->n_running, "to go", (json_int_t)e->n_left));
}

/* What the job server has lent to all of them; told when it is another number than before. */
static void put_tokens(struct trace *t, const struct event *e)
{
	json_int_t lent = 0;

	for (size_t i = 0; e->nodes && i < t->lanes.n; i++)
		if (t->lanes.v[i].node)
			lent += e->nodes[t->lanes.v[i].node - e->plan->nodes].stint->tokens;
	if (lent == t->tokens)
		return;
	t->tokens = lent;
	put(t, json_pack("{s:s,s:s,s:I,s:I,s:{s:I}}", "ph", "C", "name", "job-server tokens", "tid",
	                 (json_int_t)0, "ts", (json_int_t)(clock_mono_us() - t->began_us), "args",
	                 "lent", lent));
}

static void on_event(struct event_sink *sink, const struct event *e)
{
	struct trace *t = (struct trace *)sink;

	switch (e->kind) {
	case EVENT_BEGIN:
		begin(t);
		break;
	case EVENT_START:
		enter_lane(t, e->node);
		put_counts(t, e);
		break;
	case EVENT_DONE:
		put_run(t, e, "done");
		put_counts(t, e);
		break;
	case EVENT_FAILED:
		put_run(t, e, "failed");
		put_counts(t, e);
		break;
	case EVENT_SKIPPED: /* only what ran and was ended leaves a trace */
		put_run(t, e, "cancelled");
		break;
	case EVENT_CACHED:
		put_instant(t, e, "cached");
		break;
	case EVENT_WAIT:
		put_instant(t, e, "waits for another kiln");
		break;
	case EVENT_AGAIN:
		put_run(t, e, "again");
		break;
	case EVENT_NOTE:
		put_instant(t, e, "note");
		break;
	case EVENT_TICK:
		put_tokens(t, e);
		break;
	case EVENT_END:
		put_text(t, "]\n");
		break;
	}
}

static void deinit(struct progress *p)
{
	array_deinit(&((struct trace *)p)->lanes);
}

struct progress *progress_trace_new(struct progress_output *output)
{
	return progress_alloc(sizeof(struct trace), output, on_event, deinit);
}
