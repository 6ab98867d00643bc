/*
 * Progress as lines, for logs and for programs: every line stands for itself.
 */
#include "report/progress.h"

#include <stdio.h>

#include "base/alloc.h"
#include "external/json.h"
#include "host/clock.h"
#include "report/failure.h"
#include "report/sink.h"

const char *progress_duration(int64_t us, char text[16])
{
	unsigned int s;

	if (us < 0)
		us = 0;
	s = (unsigned int)(us / 1000000);
	if (us < 9950000)
		snprintf(text, 16, "%.2f s", (double)us / 1e6);
	else if (s < 100)
		snprintf(text, 16, "%.1f s", (double)us / 1e6);
	else if (s < 3600)
		snprintf(text, 16, "%um%02us", s / 60 % 60, s % 60);
	else
		snprintf(text, 16, "%uh%02um", s / 3600 % 10000, s / 60 % 60);
	return text;
}

const char *progress_clock(int64_t us, char text[16])
{
	unsigned int s = us < 0 ? 0 : (unsigned int)(us / 1000000);

	if (s < 3600)
		snprintf(text, 16, "%u:%02u", s / 60 % 60, s % 60);
	else
		snprintf(text, 16, "%u:%02u:%02u", s / 3600 % 10000, s / 60 % 60, s % 60);
	return text;
}

/* ---- what the shapes share ---------------------------------------------------------------- */

struct progress *progress_alloc(size_t size, struct progress_output *output,
                                void (*event)(struct event_sink *, const struct event *),
                                void (*deinit)(struct progress *))
{
	struct progress *p = alloc(size);

	p->sink.event = event;
	p->output = output;
	p->deinit = deinit;
	return p;
}

struct progress *progress_free(struct progress *progress)
{
	if (progress) {
		if (progress->deinit)
			progress->deinit(progress);
		free(progress);
	}
	return NULL;
}

struct event_sink *progress_sink(struct progress *progress)
{
	return &progress->sink;
}

void progress_put(struct progress *p, const struct buf *text)
{
	if (text->n)
		p->output->write(p->output, buf_text(text), text->n);
}

void progress_add_note(struct buf *text, const char *address, const char *why)
{
	buf_fmt(text, "  note    %s   %s\n", address, why);
}

/* ---- plain -------------------------------------------------------------------------------- */

struct plain {
	struct progress base;
	struct buf held; /* "cached" lines that wait for a stage that runs */
};

static void on_plain(struct event_sink *sink, const struct event *e)
{
	struct plain *p = (struct plain *)sink;
	_cleanup_buf_ struct buf text = BUF_INIT(TEXT_MOST);
	const char *address = e->node ? e->node->stage->address : "";
	char took[16];

	switch (e->kind) {
	case EVENT_START:
		buf_fmt(&text, "  start   %s\n", address);
		break;
	case EVENT_WAIT:
		buf_fmt(&text, "  waits   %s   %s\n", address,
		        e->why ? e->why : "another kiln runs it");
		break;
	case EVENT_AGAIN:
		buf_fmt(&text, "  again   %s   in a moment: %s\n", address, e->why);
		break;
	case EVENT_NOTE:
		progress_add_note(&text, address, e->why);
		break;
	case EVENT_CACHED:
		buf_fmt(&p->held, "  cached  %s\n", address);
		return;
	case EVENT_DONE:
		buf_fmt(&text, "  done    %s   %s\n", address, progress_duration(e->wall_us, took));
		break;
	case EVENT_FAILED:
		failure_add(&text, e, p->base.output);
		break;
	case EVENT_SKIPPED:
		buf_fmt(&text, "  skipped %s\n", address);
		break;
	case EVENT_END:
		if (e->n_done == 0)
			return;
		break;
	case EVENT_BEGIN:
	case EVENT_TICK:
		return;
	}
	if (p->held.n)
		progress_put(&p->base, &p->held);
	buf_clear(&p->held);
	progress_put(&p->base, &text);
}

static void plain_deinit(struct progress *p)
{
	buf_deinit(&((struct plain *)p)->held);
}

struct progress *progress_plain_new(struct progress_output *output)
{
	struct progress *p = progress_alloc(sizeof(struct plain), output, on_plain, plain_deinit);

	((struct plain *)p)->held = BUF_INIT(TEXT_MOST);
	return p;
}

/* ---- JSON lines --------------------------------------------------------------------------- */

static void on_json(struct event_sink *sink, const struct event *e)
{
	static const char *const names[] = {
		[EVENT_BEGIN] = "begin",     [EVENT_START] = "start", [EVENT_WAIT] = "wait",
		[EVENT_CACHED] = "cached",   [EVENT_DONE] = "done",   [EVENT_FAILED] = "failed",
		[EVENT_SKIPPED] = "skipped", [EVENT_TICK] = "tick",   [EVENT_END] = "end",
		[EVENT_AGAIN] = "again",     [EVENT_NOTE] = "note",
	};
	struct progress *p = (struct progress *)sink;
	_cleanup_json_ json_t *line = NULL;
	_cleanup_buf_ struct buf text = BUF_INIT(TEXT_MOST);

	if (e->kind == EVENT_TICK)
		return;
	line = json_pack("{s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:I}", "schema", "kiln.events/1", "event",
	                 names[e->kind], "time_us", (json_int_t)clock_wall_us(), "done",
	                 (json_int_t)e->n_done, "cached", (json_int_t)e->n_cached, "running",
	                 (json_int_t)e->n_running, "failed", (json_int_t)e->n_failed, "left",
	                 (json_int_t)e->n_left);
	if (e->node) {
		json_object_set_new(line, "stage", json_string(e->node->stage->address));
		json_object_set_new(line, "wall_us", json_integer(e->wall_us));
		if (!digest_is_none(&e->action))
			json_object_set_new(line, "action", json_string(DIGEST_TEXT(&e->action)));
	}
	if (e->kind == EVENT_FAILED)
		json_object_set_new(line, "exit", json_integer(e->exit_code));
	if (e->why)
		json_object_set_new(line, "why", json_any_text(e->why));
	json_write_canonical(line, &text);
	buf_add_char(&text, '\n');
	progress_put(p, &text);
}

struct progress *progress_json_new(struct progress_output *output)
{
	return progress_alloc(sizeof(struct progress), output, on_json, NULL);
}

/* ---- the table ---------------------------------------------------------------------------- */

const struct progress_shape progress_shapes[] = {
	{ "tty", progress_board_new },
	{ "plain", progress_plain_new },
	{ "json", progress_json_new },
	{ "trace", progress_trace_new },
	{ 0 },
};

struct progress *progress_new(const char *name, struct progress_output *output)
{
	for (const struct progress_shape *shape = progress_shapes; shape->name; shape++)
		if (str_eq(shape->name, name))
			return shape->make(output);
	return NULL;
}
