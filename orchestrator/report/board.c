/*
 * The board: a row per target, redrawn in place from the state of all. It never scrolls; what failed
 * is printed above it, so that it stays.
 *
 * The cursor rests, unseen, at the beginning of the board's last line. To draw anew it goes up as
 * many rows as the lines above take: more than there are lines where the terminal became narrower
 * and wrapped them. Each drawing is one write, and each line is overwritten and not erased first,
 * so that nothing flickers.
 */
#include "report/board.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "host/clock.h"
#include "report/failure.h"
#include "report/paint.h"

#define CURSOR_HIDE "\033[?25l"
#define CURSOR_SHOW "\033[?25h"

/* What is looked up in the store is not worth a board, unless it takes long. */
enum { SILENT_US = 300000, COLUMNS = 80, ROWS = 24 };

/* ---- what is known ------------------------------------------------------------------------ */

static struct row *row_of(struct board *b, const char *target)
{
	for (size_t i = 0; i < b->rows.n; i++)
		if (str_eq(b->rows.v[i].target, target))
			return &b->rows.v[i];
	return NULL;
}

/* Whether another target begins with these n bytes too, as far as words go. */
static bool is_taken(const struct board *b, const struct row *row, size_t n)
{
	for (size_t i = 0; i < b->rows.n; i++) {
		const char *other = b->rows.v[i].target;

		if (&b->rows.v[i] != row && strncmp(other, row->target, n) == 0 &&
		    (other[n] == '-' || other[n] == '\0'))
			return true;
	}
	return false;
}

/* "x86_64" for x86_64-unknown-linux-gnu, where that is the only one. */
static void shorten(struct board *b)
{
	for (size_t i = 0; i < b->rows.n; i++) {
		struct row *row = &b->rows.v[i];
		size_t n = strcspn(row->target, "-");

		while (row->target[n] && is_taken(b, row, n))
			n += 1 + strcspn(row->target + n + 1, "-");
		array_push(&b->briefs, str_dup_n(row->target, n));
		row->brief = b->briefs.v[b->briefs.n - 1];
	}
}

static void begin_rows(struct board *b, const struct plan *plan)
{
	b->plan = plan;
	b->begun_us = clock_mono_us();
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
	for (size_t i = 0; i < plan->n_goals; i++) {
		const struct recipe_artefact *a = plan->goals[i].artefact;
		struct row *row = a ? row_of(b, a->target) : NULL;

		if (row)
			row->ships = a->variant;
	}
	shorten(b);
}

static void forget_running(struct board *b, const struct plan_node *node)
{
	for (size_t i = 0; i < b->running.n; i++)
		if (b->running.v[i].node == node) {
			free(b->running.v[i].said);
			memmove(&b->running.v[i], &b->running.v[i + 1],
			        (b->running.n - i - 1) * sizeof(b->running.v[0]));
			b->running.n--;
			return;
		}
}

static void note_stage(struct board *b, const struct event *e)
{
	struct row *row = e->node ? row_of(b, e->node->stage->target) : NULL;

	if (!row || e->kind == EVENT_WAIT || e->kind == EVENT_NOTE)
		return;
	if (e->kind == EVENT_START) {
		array_push(&b->running,
		           ((struct running){ .node = e->node, .since_us = clock_mono_us() }));
		return;
	}
	forget_running(b, e->node);
	if (b->critical == e->node)
		b->critical = NULL;
	if (e->kind == EVENT_AGAIN)
		return;
	row->finished++;
	row->failed += e->kind == EVENT_FAILED;
	row->skipped += e->kind == EVENT_SKIPPED;
}

static void note_said(struct board *b, const struct event *e)
{
	for (size_t i = 0; e->nodes && i < b->running.n; i++) {
		struct running *r = &b->running.v[i];
		const struct engine_stint *stint = e->nodes[r->node - e->plan->nodes].stint;
		const char *said = stint ? stint->said : NULL;

		if (!said || (r->said && str_eq(r->said, said)))
			continue;
		free(r->said);
		r->said = str_dup(said);
		b->spoken = true;
	}
}

static void note(struct board *b, const struct event *e)
{
	if (e->kind == EVENT_BEGIN)
		begin_rows(b, e->plan);
	note_stage(b, e);
	if (e->kind == EVENT_TICK || e->kind == EVENT_BEGIN) {
		b->left_us = e->left_us;
		b->critical = e->critical;
	}
	if (e->kind == EVENT_TICK)
		note_said(b, e);
	b->nodes = e->nodes;
	b->done = e->n_done;
	b->cached = e->n_cached;
	b->failed = e->n_failed;
	b->left = e->n_left;
	b->started |= e->kind == EVENT_START || e->kind == EVENT_FAILED;
}

/* ---- on the screen ------------------------------------------------------------------------ */

size_t drawing_rows(const int *cells, size_t n, int columns)
{
	size_t rows = 0;

	for (size_t i = 0; i < n; i++)
		rows += cells[i] > columns ? (size_t)((cells[i] + columns - 1) / columns) : 1;
	return rows;
}

void drawing_deinit(struct drawing *d)
{
	buf_deinit(&d->text);
	array_deinit(&d->cells);
	*d = (struct drawing){ .text = BUF_INIT(TEXT_MOST) };
}

/* How many rows above the cursor the drawing begins, on a terminal of that size now. What a smaller
 * terminal pushed out at its upper end is remembered, and forgotten where it is within reach. */
static size_t rows_up(struct board *b, int columns, int rows)
{
	const struct drawing *d = &b->drawn;
	const int width = b->base.output->rewraps ? columns : b->columns;
	const size_t reach = rows > 0 ? (size_t)rows - 1 : 0;
	size_t n = d->cells.n - 1, up;

	up = drawing_rows(d->cells.v, n, width);
	if (up > reach) {
		size_t first = 0;

		while (first < n && drawing_rows(d->cells.v + first, n - first, width) > reach)
			array_push(&b->lost, d->cells.v[first++]);
		return up;
	}
	while (b->lost.n > 0 && up <= reach)
		up += drawing_rows(&b->lost.v[--b->lost.n], 1, width);
	return up;
}

/* Moves the cursor to where the drawing begins. */
static void go_up(size_t up, struct buf *text)
{
	buf_add_char(text, '\r');
	if (up > 0)
		buf_fmt(text, "\033[%zuA", up);
}

/* Each line over the one that stands there; the cursor ends at the begin of the last one. */
static void add_drawing(const struct drawing *d, struct buf *text)
{
	struct str rest = buf_str(&d->text), line;

	for (size_t i = 0; i < d->cells.n && str_cut(&rest, '\n', &line); i++) {
		buf_add(text, line.p, line.n);
		buf_add_str(text, i + 1 < d->cells.n ? ERASE_LINE "\n" : ERASE_BELOW "\r");
	}
}

static bool same_drawing(const struct drawing *a, const struct drawing *b)
{
	return a->cells.n == b->cells.n && str_same(buf_str(&a->text), buf_str(&b->text));
}

static bool is_hidden(const struct board *b, const struct event *e)
{
	return e->kind == EVENT_END || b->base.output->away ||
	       (!b->started && clock_mono_us() - b->begun_us < SILENT_US);
}

/* Puts `above` where the board stood and the board as it is now below it. */
static void show(struct board *b, const struct event *e, const struct buf *above)
{
	const struct progress_output *output = b->base.output;
	const int columns = output->columns > 0 ? output->columns : COLUMNS;
	const int rows = output->rows > 0 ? output->rows : ROWS;
	const bool resized = columns != b->columns || rows != b->rows_then;
	const bool was = b->drawn.cells.n > 0;
	_cleanup_buf_ struct buf text = BUF_INIT(TEXT_MOST);
	struct drawing d = { .text = BUF_INIT(TEXT_MOST) };

	if (!is_hidden(b, e))
		board_picture(b, &d);
	if (was && !resized && !above->n && same_drawing(&b->drawn, &d)) {
		drawing_deinit(&d);
		return;
	}
	if (was)
		go_up(rows_up(b, columns, rows), &text);
	if (was && (resized || above->n || d.cells.n == 0))
		buf_add_str(&text, ERASE_ALL);
	if (above->n)
		b->lost.n = 0; /* what comes back stands above this now */
	buf_add(&text, above->p, above->n);
	if (d.cells.n > 0 && !was)
		buf_add_str(&text, CURSOR_HIDE);
	add_drawing(&d, &text);
	if (d.cells.n == 0 && was)
		buf_add_str(&text, CURSOR_SHOW);
	drawing_deinit(&b->drawn);
	b->drawn = d;
	b->columns = columns;
	b->rows_then = rows;
	b->drawn_us = clock_mono_us();
	progress_put(&b->base, &text);
}

static bool is_due(const struct board *b, const struct event *e)
{
	return e->kind == EVENT_END || b->base.output->away ||
	       clock_mono_us() - b->drawn_us >= b->base.output->pace_us;
}

static void on_board(struct event_sink *sink, const struct event *e)
{
	struct board *b = (struct board *)sink;
	_cleanup_buf_ struct buf above = BUF_INIT(TEXT_MOST);

	note(b, e);
	if (e->kind == EVENT_FAILED)
		failure_add(&above, e, b->base.output);
	if (e->kind == EVENT_NOTE)
		progress_add_note(&above, e->node->stage->address, e->why);
	if (above.n || is_due(b, e))
		show(b, e, &above);
}

static void deinit(struct progress *p)
{
	struct board *b = (struct board *)p;
	const struct event end = { .kind = EVENT_END };
	const struct buf nothing = BUF_INIT(0);

	if (b->drawn.cells.n > 0)
		show(b, &end, &nothing);
	for (size_t i = 0; i < b->briefs.n; i++)
		free(b->briefs.v[i]);
	array_deinit(&b->briefs);
	array_deinit(&b->rows);
	for (size_t i = 0; i < b->running.n; i++)
		free(b->running.v[i].said);
	array_deinit(&b->running);
	array_deinit(&b->lost);
	drawing_deinit(&b->drawn);
	cells_deinit(&b->cells);
}

struct progress *progress_board_new(struct progress_output *output)
{
	struct progress *p = progress_alloc(sizeof(struct board), output, on_board, deinit);
	struct board *b = (struct board *)p;

	b->drawn.text = BUF_INIT(TEXT_MOST);
	b->left_us = -1;
	output->marks = output->utf8;
	cells_init(&b->cells, !output->utf8);
	return p;
}
