/*
 * Progress in three shapes over one event stream. The plain one is for logs: every line stands for
 * itself. The board is redrawn from the last state of each target; it never scrolls, and what
 * failed is printed above it so that it stays.
 */
#include "report/progress.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/array.h"
#include "external/json.h"
#include "host/clock.h"

enum { TEXT_MOST = 1 << 20, BAR_CELLS = 20 };

struct row {
	const char *target;
	size_t total, finished, failed;
	const struct plan_node *current; /* the one that started last and still runs */
	int64_t since_us;
	int64_t last_us;                 /* how long the last finished stage took */
};

struct progress {
	struct event_sink sink;
	struct progress_output *output;
	ARRAY(struct row) rows;
	ARRAY(const struct plan_node *) running;
	size_t drawn;                    /* lines of the board on the screen */
};

const char *progress_duration(int64_t us, char text[16])
{
	unsigned int s = us > 0 ? (unsigned int)(us / 1000000) : 0;

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

static void put(struct progress *p, const struct buf *text)
{
	p->output->write(p->output, buf_text(text), text->n);
}

static const char *paint(const struct progress *p, const char *code)
{
	return p->output->colour ? code : "";
}

#define RED "\033[31m"
#define DIM "\033[2m"
#define BOLD "\033[1m"
#define PLAIN "\033[0m"

/* ---- a failure, the same in both shapes --------------------------------------------------- */

static void add_indented(struct buf *text, const char *lines)
{
	struct str rest = str_of(lines), line;

	while (str_cut(&rest, '\n', &line)) {
		if (line.n == 0 && !rest.p)
			break;
		buf_add_str(text, "    ");
		buf_add(text, line.p, line.n);
		buf_add_char(text, '\n');
	}
}

static void add_command(struct buf *text, const struct action *action)
{
	if (action->builtin) {
		buf_fmt(text, "    command  kiln:%s\n", action->builtin);
		return;
	}
	buf_add_str(text, "    command ");
	for (size_t i = 0; i < action->n_argv; i++) {
		const char *arg = action->argv[i];

		if (strchr(arg, '\n'))
			buf_add_str(text, " '…'");
		else
			buf_fmt(text, strpbrk(arg, " $'\"\\*") ? " '%s'" : " %s", arg);
	}
	buf_add_char(text, '\n');
}

static void add_failure(const struct progress *p, const struct event *e, struct buf *text)
{
	const struct plan_node *node = e->node;
	const struct stage *stage;
	char took[16];

	bug_on(!node);
	stage = node->stage;
	buf_fmt(text, "  %sfailed%s  %s   %s after %s\n\n", paint(p, RED), paint(p, PLAIN),
	        stage->address, e->why ? e->why : "", progress_duration(e->wall_us, took));
	add_command(text, &node->lowered.action);
	if (e->tail && e->tail[0])
		add_indented(text, e->tail);
	buf_fmt(text, "\n    log      kiln log %s\n    recipe   %s\n", stage->address,
	        stage->where);
}

/* ---- plain -------------------------------------------------------------------------------- */

static void on_plain(struct event_sink *sink, const struct event *e)
{
	struct progress *p = (struct progress *)sink;
	_cleanup_buf_ struct buf text = BUF_INIT(TEXT_MOST);
	const char *address = e->node ? e->node->stage->address : "";
	char took[16];

	switch (e->kind) {
	case EVENT_START:
		buf_fmt(&text, "  start   %s\n", address);
		break;
	case EVENT_CACHED:
		buf_fmt(&text, "  cached  %s\n", address);
		break;
	case EVENT_DONE:
		buf_fmt(&text, "  done    %s   %s\n", address,
		        progress_duration(e->wall_us, took));
		break;
	case EVENT_FAILED:
		add_failure(p, e, &text);
		break;
	case EVENT_SKIPPED:
		buf_fmt(&text, "  skipped %s\n", address);
		break;
	case EVENT_BEGIN:
	case EVENT_TICK:
	case EVENT_END:
		return;
	}
	put(p, &text);
}

/* ---- the board ---------------------------------------------------------------------------- */

static struct row *row_of(struct progress *p, const char *target)
{
	for (size_t i = 0; i < p->rows.n; i++)
		if (str_eq(p->rows.v[i].target, target))
			return &p->rows.v[i];
	return NULL;
}

static void begin_rows(struct progress *p, const struct plan *plan)
{
	p->rows.n = 0;
	for (size_t i = 0; i < plan->n_wanted; i++) {
		const struct plan_node *node = &plan->nodes[plan->order[i]];
		struct row *row = row_of(p, node->stage->target);

		if (node->pinned)
			continue;
		if (!row) {
			row = array_add(&p->rows);
			row->target = node->stage->target;
		}
		row->total++;
	}
}

static void forget_running(struct progress *p, const struct plan_node *node)
{
	for (size_t i = 0; i < p->running.n; i++)
		if (p->running.v[i] == node) {
			memmove(&p->running.v[i], &p->running.v[i + 1],
			        (p->running.n - i - 1) * sizeof(p->running.v[0]));
			p->running.n--;
			return;
		}
}

static void update_row(struct progress *p, const struct event *e)
{
	struct row *row = e->node ? row_of(p, e->node->stage->target) : NULL;

	if (!row)
		return;
	if (e->kind == EVENT_START) {
		array_push(&p->running, e->node);
		row->current = e->node;
		row->since_us = clock_mono_us();
		return;
	}
	forget_running(p, e->node);
	row->finished++;
	row->failed += e->kind == EVENT_FAILED;
	row->last_us = e->wall_us;
	if (row->current == e->node) {
		row->current = NULL;
		for (size_t i = 0; i < p->running.n; i++)
			if (str_eq(p->running.v[i]->stage->target, row->target))
				row->current = p->running.v[i];
	}
}

static void add_bar(const struct progress *p, const struct row *row, struct buf *text)
{
	size_t full = row->total ? row->finished * BAR_CELLS / row->total : BAR_CELLS;

	buf_add_str(text, paint(p, row->failed ? RED : ""));
	for (size_t i = 0; i < BAR_CELLS; i++)
		buf_add_str(text, i < full ? "█" : "·");
	buf_add_str(text, paint(p, row->failed ? PLAIN : ""));
}

/* Appends at most `cells` characters of plain ASCII-or-UTF-8 text. */
static void add_cut(struct buf *text, const char *s, int cells)
{
	for (; *s && cells > 0; cells--) {
		size_t n = 1;

		while ((s[n] & 0xc0) == 0x80)
			n++;
		buf_add(text, s, n);
		s += n;
	}
}

static void add_row(const struct progress *p, const struct row *row, int width, struct buf *text)
{
	int columns = p->output->columns ? p->output->columns : 80;
	_cleanup_buf_ struct buf stage = BUF_INIT(4096);
	char took[16];

	buf_add_str(text, "  ");
	for (int i = 0, n = (int)strlen(row->target); i < width; i++)
		buf_add_char(text, i < n ? row->target[i] : ' ');
	buf_add_str(text, "  ");
	add_bar(p, row, text);
	if (row->current)
		buf_fmt(&stage, "  %s/%s  %s", row->current->stage->variant,
		        row->current->stage->name,
		        progress_duration(clock_mono_us() - row->since_us, took));
	else if (row->failed)
		buf_add_str(&stage, "  failed");
	else if (row->finished == row->total)
		buf_add_str(&stage, "  done");
	else
		buf_add_str(&stage, "  waiting");
	add_cut(text, buf_text(&stage), columns - 5 - width - BAR_CELLS);
	buf_add_char(text, '\n');
}

static void add_totals(const struct event *e, struct buf *text)
{
	char left[16];

	buf_fmt(text, "\n  %zu done · %zu cached · %zu running · %zu to go", e->n_done, e->n_cached,
	        e->n_running, e->n_left - e->n_running);
	if (e->n_failed)
		buf_fmt(text, " · %zu failed", e->n_failed);
	if (e->left_us > 0)
		buf_fmt(text, " · about %s", progress_duration(e->left_us, left));
	buf_add_char(text, '\n');
}

static void erase_board(struct progress *p, struct buf *text)
{
	if (p->drawn)
		buf_fmt(text, "\033[%zuA\r\033[J", p->drawn);
	p->drawn = 0;
}

static void draw_board(struct progress *p, const struct event *e, struct buf *text)
{
	int columns = p->output->columns ? p->output->columns : 80;
	size_t most = p->output->rows > 6 ? (size_t)p->output->rows - 4 : 2;
	int width = 10;

	for (size_t i = 0; i < p->rows.n; i++)
		if ((int)strlen(p->rows.v[i].target) > width)
			width = (int)strlen(p->rows.v[i].target);
	if (width > columns - BAR_CELLS - 20)
		width = columns - BAR_CELLS - 20 > 8 ? columns - BAR_CELLS - 20 : 8;
	for (size_t i = 0; i < p->rows.n && i < most; i++, p->drawn++)
		add_row(p, &p->rows.v[i], width, text);
	add_totals(e, text);
	p->drawn += 2;
}

static void on_board(struct event_sink *sink, const struct event *e)
{
	struct progress *p = (struct progress *)sink;
	_cleanup_buf_ struct buf text = BUF_INIT(TEXT_MOST);

	if (e->kind == EVENT_BEGIN)
		begin_rows(p, e->plan);
	update_row(p, e);
	erase_board(p, &text);
	if (e->kind == EVENT_FAILED)
		add_failure(p, e, &text);
	if (e->kind != EVENT_END)
		draw_board(p, e, &text);
	put(p, &text);
}

/* ---- JSON lines --------------------------------------------------------------------------- */

static void on_json(struct event_sink *sink, const struct event *e)
{
	static const char *const names[] = {
		[EVENT_BEGIN] = "begin", [EVENT_START] = "start",     [EVENT_CACHED] = "cached",
		[EVENT_DONE] = "done",   [EVENT_FAILED] = "failed",   [EVENT_SKIPPED] = "skipped",
		[EVENT_TICK] = "tick",   [EVENT_END] = "end",
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
	if (e->kind == EVENT_FAILED) {
		json_object_set_new(line, "exit", json_integer(e->exit_code));
		if (e->why)
			json_object_set_new(line, "why", json_string(e->why));
	}
	json_write_canonical(line, &text);
	buf_add_char(&text, '\n');
	put(p, &text);
}

/* ---- making ------------------------------------------------------------------------------- */

static struct progress *new_progress(struct progress_output *output,
                                     void (*event)(struct event_sink *, const struct event *))
{
	struct progress *p = alloc(sizeof(*p));

	p->sink.event = event;
	p->output = output;
	return p;
}

struct progress *progress_plain_new(struct progress_output *output)
{
	return new_progress(output, on_plain);
}

struct progress *progress_board_new(struct progress_output *output)
{
	return new_progress(output, on_board);
}

struct progress *progress_json_new(struct progress_output *output)
{
	return new_progress(output, on_json);
}

struct progress *progress_free(struct progress *progress)
{
	if (progress) {
		array_deinit(&progress->rows);
		array_deinit(&progress->running);
		free(progress);
	}
	return NULL;
}

struct event_sink *progress_sink(struct progress *progress)
{
	return &progress->sink;
}
