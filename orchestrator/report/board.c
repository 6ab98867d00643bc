/*
 * The board: a row per target, redrawn from the last state of each. It never scrolls; what failed is
 * printed above it, so that it stays.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/array.h"
#include "host/clock.h"
#include "report/failure.h"
#include "report/paint.h"
#include "report/sink.h"

enum { BAR_CELLS = 20 };

struct row {
	const char *target;
	size_t total, finished, failed, skipped;
	bool shown;
	const struct plan_node *current; /* the one that started last and still runs */
	int64_t since_us;
	int64_t last_us; /* how long the last finished stage took */
};

struct board {
	struct progress base;
	ARRAY(struct row) rows;
	ARRAY(const struct plan_node *) running;
	size_t drawn; /* lines on the screen */
};

static const char *paint(const struct board *b, const char *code)
{
	return b->base.output->colour ? code : "";
}

static struct row *row_of(struct board *b, const char *target)
{
	for (size_t i = 0; i < b->rows.n; i++)
		if (str_eq(b->rows.v[i].target, target))
			return &b->rows.v[i];
	return NULL;
}

static void begin_rows(struct board *b, const struct plan *plan)
{
	b->rows.n = 0;
	for (size_t i = 0; i < plan->n_wanted; i++) {
		const struct plan_node *node = &plan->nodes[plan->order[i]];
		struct row *row = row_of(b, node->stage->target);

		if (node->pinned)
			continue;
		if (!row) {
			row = array_add(&b->rows);
			row->target = node->stage->target;
		}
		row->total++;
	}
}

static void forget_running(struct board *b, const struct plan_node *node)
{
	for (size_t i = 0; i < b->running.n; i++)
		if (b->running.v[i] == node) {
			memmove(&b->running.v[i], &b->running.v[i + 1],
			        (b->running.n - i - 1) * sizeof(b->running.v[0]));
			b->running.n--;
			return;
		}
}

static void update_row(struct board *b, const struct event *e)
{
	struct row *row = e->node ? row_of(b, e->node->stage->target) : NULL;

	if (!row)
		return;
	if (e->kind == EVENT_START) {
		array_push(&b->running, e->node);
		row->current = e->node;
		row->since_us = clock_mono_us();
		return;
	}
	forget_running(b, e->node);
	row->finished++;
	row->failed += e->kind == EVENT_FAILED;
	row->skipped += e->kind == EVENT_SKIPPED;
	row->last_us = e->wall_us;
	if (row->current == e->node) {
		row->current = NULL;
		for (size_t i = 0; i < b->running.n; i++)
			if (str_eq(b->running.v[i]->stage->target, row->target))
				row->current = b->running.v[i];
	}
}

struct layout {
	int columns; /* most cells of a line */
	int name, bar;
	size_t rows; /* most rows of targets */
};

/* The last column stays free, so that no terminal wraps. */
static struct layout layout_of(const struct board *b)
{
	int columns = b->base.output->columns > 0 ? b->base.output->columns : 80;
	int rows = b->base.output->rows > 0 ? b->base.output->rows : 24;
	struct layout l = { .columns = columns > 1 ? columns - 1 : 1, .name = 10 };

	l.bar = columns < 4 * BAR_CELLS ? columns / 4 : BAR_CELLS;
	l.rows = rows > 4 ? (size_t)rows - 4 : 0;
	for (size_t i = 0; i < b->rows.n; i++)
		if ((int)strlen(b->rows.v[i].target) > l.name)
			l.name = (int)strlen(b->rows.v[i].target);
	if (l.name > columns - l.bar - 20)
		l.name = columns - l.bar - 20 > 8 ? columns - l.bar - 20 : 8;
	return l;
}

static void add_bar(const struct board *b, const struct row *row, int cells, struct buf *text)
{
	size_t full = row->total ? row->finished * (size_t)cells / row->total : (size_t)cells;

	buf_add_str(text, paint(b, row->failed ? PAINT_RED : ""));
	for (size_t i = 0; i < (size_t)cells; i++)
		buf_add_str(text, i < full ? "█" : "·");
	buf_add_str(text, paint(b, row->failed ? PAINT_PLAIN : ""));
}

/* Adds a line of UTF-8, cut to so many cells; colours take none and are never cut. */
static void add_line(struct buf *text, const char *s, int cells)
{
	while (*s) {
		size_t n = 1;

		if (*s == '\033') {
			n = strcspn(s, "m");
			n += s[n] == 'm';
			buf_add(text, s, n);
			s += n;
			continue;
		}
		while ((s[n] & 0xc0) == 0x80)
			n++;
		if (cells-- > 0)
			buf_add(text, s, n);
		s += n;
	}
	buf_add_char(text, '\n');
}

static void add_row(const struct board *b, const struct row *row, const struct layout *layout,
                    struct buf *text)
{
	_cleanup_buf_ struct buf line = BUF_INIT(4096);
	char took[16];

	buf_fmt(&line, "  %-*.*s  ", layout->name, layout->name, row->target);
	add_bar(b, row, layout->bar, &line);
	if (row->current)
		buf_fmt(&line, "  %s/%s  %s", row->current->stage->variant,
		        row->current->stage->name,
		        progress_duration(clock_mono_us() - row->since_us, took));
	else if (row->failed)
		buf_add_str(&line, "  failed");
	else if (row->finished < row->total)
		buf_add_str(&line, "  waiting");
	else
		buf_add_str(&line, row->skipped ? "  skipped" : "  done");
	add_line(text, buf_text(&line), layout->columns);
}

static void add_totals(const struct event *e, const struct layout *layout, struct buf *text)
{
	_cleanup_buf_ struct buf line = BUF_INIT(4096);
	char left[16];

	buf_fmt(&line, "  %zu done · %zu cached · %zu running · %zu to go", e->n_done, e->n_cached,
	        e->n_running, e->n_left - e->n_running);
	if (e->n_failed)
		buf_fmt(&line, " · %zu failed", e->n_failed);
	if (e->left_us > 0)
		buf_fmt(&line, " · about %s", progress_duration(e->left_us, left));
	buf_add_char(text, '\n');
	add_line(text, buf_text(&line), layout->columns);
}

static void erase_board(struct board *b, struct buf *text)
{
	if (b->drawn)
		buf_fmt(text, "\033[%zuA\r\033[J", b->drawn);
	b->drawn = 0;
}

/* What a row is worth where not all of them fit: what runs, what failed, what waits, the rest. */
static int urgency(const struct row *row)
{
	if (row->current)
		return 0;
	if (row->failed)
		return 1;
	return row->finished < row->total ? 2 : 3;
}

/* Marks the rows that are shown, at most so many; returns how many. */
static size_t choose_rows(struct board *b, size_t most)
{
	size_t n = 0;

	for (size_t i = 0; i < b->rows.n; i++)
		b->rows.v[i].shown = false;
	for (int level = 0; level < 4; level++)
		for (size_t i = 0; i < b->rows.n && n < most; i++)
			if (urgency(&b->rows.v[i]) == level) {
				b->rows.v[i].shown = true;
				n++;
			}
	return n;
}

static void draw_board(struct board *b, const struct event *e, struct buf *text)
{
	const struct layout layout = layout_of(b);
	bool all = b->rows.n <= layout.rows;
	size_t shown = choose_rows(b, all || layout.rows == 0 ? layout.rows : layout.rows - 1);

	for (size_t i = 0; i < b->rows.n; i++)
		if (b->rows.v[i].shown)
			add_row(b, &b->rows.v[i], &layout, text);
	if (!all && layout.rows > 0) {
		_cleanup_buf_ struct buf line = BUF_INIT(100);

		buf_fmt(&line, "  … and %zu more", b->rows.n - shown);
		add_line(text, buf_text(&line), layout.columns);
		shown++;
	}
	add_totals(e, &layout, text);
	b->drawn = shown + 2;
}

static void on_board(struct event_sink *sink, const struct event *e)
{
	struct board *b = (struct board *)sink;
	_cleanup_buf_ struct buf text = BUF_INIT(TEXT_MOST);

	if (e->kind == EVENT_BEGIN)
		begin_rows(b, e->plan);
	update_row(b, e);
	erase_board(b, &text);
	if (e->kind == EVENT_FAILED)
		failure_add(&text, e, b->base.output);
	if (e->kind != EVENT_END)
		draw_board(b, e, &text);
	progress_put(&b->base, &text);
}

static void deinit(struct progress *p)
{
	struct board *b = (struct board *)p;

	array_deinit(&b->rows);
	array_deinit(&b->running);
}

struct progress *progress_board_new(struct progress_output *output)
{
	return progress_alloc(sizeof(struct board), output, on_board, deinit);
}
