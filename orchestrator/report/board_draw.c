/*
 * The board's picture: what is known, as lines that fit the terminal. Where it is too small for
 * all of it, the words that can be done without go first, then rows of targets: the last thing to
 * stay is the line of totals.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "host/clock.h"
#include "report/board.h"
#include "report/failure.h"
#include "report/paint.h"

enum { BAR = 20, BAR_SHORT = 10, LINE_MOST = 16384, STATUS = 16, LEFT = 13, NAME_LEAST = 8 };

/* What stands for what where the terminal has ASCII alone. */
struct signs {
	const char *full, *rest, *dot, *arrow, *quote, *more;
};

static const struct signs unicode = { "█", "·", " · ", "▸", "»", "…" };
static const struct signs ascii = { "#", ".", ", ", ">", ":", "..." };

struct layout {
	const struct signs *signs;
	int columns; /* most cells of a line: the last column stays free, so that nothing wraps */
	int name, bar, variant;
	bool brief;           /* targets by their short names */
	bool header, airy;    /* the line about what is built; empty lines around the rows */
	bool current;         /* the line of what runs */
	bool said;            /* the line of what it printed */
	size_t rows, targets; /* most rows of targets, and how many of them are shown */
};

static void add_line(const struct board *b, struct drawing *d, const char *line, int columns)
{
	array_push(&d->cells, cells_add(&b->cells, &d->text, line, columns));
	buf_add_char(&d->text, '\n');
}

/* ---- what fits ---------------------------------------------------------------------------- */

static int widest_variant(const struct board *b)
{
	int most = 0;

	for (size_t i = 0; i < b->plan->n_wanted; i++) {
		const struct plan_node *node = &b->plan->nodes[b->plan->order[i]];
		int n = node->pinned ? 0 : cells_of(&b->cells, node->stage->variant);

		if (n > most)
			most = n;
	}
	return most < BAR ? most : BAR;
}

static int widest_name(const struct board *b, bool brief)
{
	int most = NAME_LEAST;

	for (size_t i = 0; i < b->rows.n; i++) {
		const struct row *row = &b->rows.v[i];
		int n = cells_of(&b->cells, brief ? row->brief : row->target);

		if (n > most)
			most = n;
	}
	return most;
}

/* From all of it to the least, the first that fits. */
static void fit_columns(const struct board *b, struct layout *l)
{
	static const struct {
		bool brief, variant;
		int bar;
	} ways[] = { { false, true, BAR },      { false, true, BAR_SHORT }, { true, true, BAR },
		     { true, true, BAR_SHORT }, { true, false, BAR_SHORT }, { true, false, 0 } };

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		l->brief = ways[i].brief;
		l->bar = ways[i].bar;
		l->name = widest_name(b, l->brief);
		l->variant = ways[i].variant ? widest_variant(b) : 0;
		if (2 + l->name + 2 + l->bar + 2 + l->variant + 2 + STATUS + LEFT <= l->columns)
			return;
	}
	if (l->name > l->columns / 2)
		l->name = l->columns / 2;
}

static void fit_rows(const struct board *b, int rows, struct layout *l)
{
	const size_t most = rows > 1 ? (size_t)rows - 1 : 1; /* one line stays of what was before */
	const size_t header = b->base.output->about ? 1 : 0;
	const size_t said = b->spoken && most >= 4 ? 1 : 0;

	l->current = most >= 2;
	l->said = said;
	l->airy = most >= 9 + said || most >= 3 + said + b->rows.n + 2 * header;
	l->header = header && (l->airy || most >= 2 + said + b->rows.n + 1);
	l->rows = most - 1 - l->current - said;
	if (l->header)
		l->rows -= 1 + l->airy;
	if (l->airy)
		l->rows--;
}

static struct layout layout_of(const struct board *b)
{
	const struct progress_output *output = b->base.output;
	const int columns = output->columns > 0 ? output->columns : 80;
	struct layout l = { .columns = columns > 1 ? columns - 1 : 1 };

	l.signs = output->utf8 ? &unicode : &ascii;
	fit_columns(b, &l);
	fit_rows(b, output->rows > 0 ? output->rows : 24, &l);
	return l;
}

/* ---- a row -------------------------------------------------------------------------------- */

/* Of what runs (for a target; NULL: for any) what matters most: what the end waits for, else what
 * has the longest way to go, else the oldest. *ret_n: how many run. */
static const struct running *foremost(const struct board *b, const char *target, size_t *ret_n)
{
	const struct running *best = NULL;
	int64_t most = -1;

	*ret_n = 0;
	for (size_t i = 0; i < b->running.n; i++) {
		const struct running *r = &b->running.v[i];
		int64_t rank = b->nodes ? b->nodes[r->node - b->plan->nodes].rank : 0;

		if (target && !str_eq(r->node->stage->target, target))
			continue;
		++*ret_n;
		if (r->node == b->critical)
			rank = INT64_MAX;
		if (rank > most) {
			most = rank;
			best = r;
		}
	}
	return best;
}

/* How long until all of a target is done, as of the last tick; -1: not known. */
static int64_t row_left(const struct board *b, const struct row *row)
{
	int64_t most = 0;

	if (!b->nodes || b->left_us < 0)
		return -1;
	for (size_t i = 0; i < b->plan->n_wanted; i++) {
		size_t at = b->plan->order[i];
		int64_t left = b->nodes[at].left_us;

		if (!str_eq(b->plan->nodes[at].stage->target, row->target))
			continue;
		if (left < 0)
			return -1;
		most = left > most ? left : most;
	}
	return most;
}

static void add_bar(const struct board *b, const struct row *row, const struct layout *l,
                    struct buf *line)
{
	const size_t cells = (size_t)l->bar;
	const size_t full = row->total ? row->finished * cells / row->total : cells;
	const bool red = row->failed && b->base.output->colour;

	buf_add_str(line, red ? PAINT_RED : "");
	for (size_t i = 0; i < cells; i++)
		buf_add_str(line, i < full ? l->signs->full : l->signs->rest);
	buf_add_str(line, red ? PAINT_PLAIN : "");
	buf_add_str(line, cells ? "  " : "");
}

static const char *end_of(const struct row *row)
{
	if (row->failed)
		return "failed";
	if (row->finished < row->total)
		return "waiting";
	if (row->skipped)
		return "skipped";
	return row->ships ? "packed" : "done";
}

static void add_status(const struct board *b, const struct row *row, const struct layout *l,
                       struct buf *line)
{
	_cleanup_buf_ struct buf status = BUF_INIT(LINE_MOST);
	size_t n = 0;
	const struct running *r = foremost(b, row->target, &n);
	const char *variant = r ? r->node->stage->variant : row->ships ? row->ships : "";
	int64_t left = r ? row_left(b, row) : -1;
	char text[16];

	if (l->variant > 0) {
		cells_pad(&b->cells, line, variant, l->variant);
		buf_add_str(line, "  ");
	}
	if (!r) {
		buf_add_str(line, end_of(row));
		return;
	}
	buf_fmt(&status, "%s %s", r->node->stage->name,
	        progress_clock(clock_mono_us() - r->since_us, text));
	if (n > 1)
		buf_fmt(&status, " +%zu", n - 1);
	if (left < 1000000) {
		buf_add_str(line, buf_text(&status));
		return;
	}
	cells_pad(&b->cells, line, buf_text(&status), STATUS);
	buf_fmt(line, "  ~%s left", progress_clock(left, text));
}

static void add_row(const struct board *b, const struct row *row, const struct layout *l,
                    struct drawing *d)
{
	_cleanup_buf_ struct buf line = BUF_INIT(LINE_MOST);

	buf_add_str(&line, "  ");
	cells_pad(&b->cells, &line, l->brief ? row->brief : row->target, l->name);
	buf_add_str(&line, "  ");
	add_bar(b, row, l, &line);
	add_status(b, row, l, &line);
	add_line(b, d, buf_text(&line), l->columns);
}

/* ---- which rows --------------------------------------------------------------------------- */

/* What a row is worth where not all of them fit: what runs, what failed, what waits, the rest. */
static int urgency(const struct board *b, const struct row *row)
{
	size_t n;

	if (foremost(b, row->target, &n))
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
			if (urgency(b, &b->rows.v[i]) == level) {
				b->rows.v[i].shown = true;
				n++;
			}
	return n;
}

static void add_rows(struct board *b, const struct layout *l, struct drawing *d)
{
	const bool all = b->rows.n <= l->rows;
	const size_t shown = choose_rows(b, all || l->rows == 0 ? l->rows : l->rows - 1);

	for (size_t i = 0; i < b->rows.n; i++)
		if (b->rows.v[i].shown)
			add_row(b, &b->rows.v[i], l, d);
	if (!all && l->rows > 0) {
		_cleanup_buf_ struct buf line = BUF_INIT(LINE_MOST);

		buf_fmt(&line, "  %s and %zu more", l->signs->more, b->rows.n - shown);
		add_line(b, d, buf_text(&line), l->columns);
	}
}

/* ---- around them -------------------------------------------------------------------------- */

static void add_header(const struct board *b, const struct layout *l, struct drawing *d)
{
	_cleanup_buf_ struct buf line = BUF_INIT(LINE_MOST);

	for (const char *const *word = b->base.output->about; *word; word++)
		buf_fmt(&line, "%s%s", line.n ? l->signs->dot : "  ", *word);
	add_line(b, d, buf_text(&line), l->columns);
}

/* The name of a target in a line that has more to say. */
static const char *brief_of(const struct board *b, const char *target)
{
	for (size_t i = 0; i < b->rows.n; i++)
		if (str_eq(b->rows.v[i].target, target))
			return b->rows.v[i].brief;
	return target;
}

static void add_totals(const struct board *b, const struct layout *l, struct drawing *d)
{
	_cleanup_buf_ struct buf line = BUF_INIT(LINE_MOST), why = BUF_INIT(LINE_MOST);
	const char *dot = l->signs->dot;
	char text[16];

	buf_fmt(&line, "  %zu done%s%zu cached%s%zu running%s%zu to go", b->done, dot, b->cached,
	        dot, b->running.n, dot, b->left > b->running.n ? b->left - b->running.n : 0);
	if (b->failed)
		buf_fmt(&line, "%s%zu failed", dot, b->failed);
	if (b->left_us > 0)
		buf_fmt(&line, "%sabout %s", dot, progress_clock(b->left_us, text));
	if (b->left_us > 0 && b->critical && b->running.n > 1)
		buf_fmt(&why, " (%s %s is on the critical path)",
		        brief_of(b, b->critical->stage->target), b->critical->stage->name);
	if (cells_of(&b->cells, buf_text(&line)) + cells_of(&b->cells, buf_text(&why)) <=
	    l->columns)
		buf_add_str(&line, buf_text(&why));
	add_line(b, d, buf_text(&line), l->columns);
}

static void add_current(const struct board *b, const struct layout *l, struct drawing *d)
{
	_cleanup_buf_ struct buf line = BUF_INIT(LINE_MOST), command = BUF_INIT(LINE_MOST);
	const struct stage *stage;
	size_t n;
	const struct running *r = foremost(b, NULL, &n);

	if (!r) {
		add_line(b, d, "", l->columns);
		return;
	}
	stage = r->node->stage;
	failure_add_brief_command(&command, &r->node->lowered->action);
	buf_fmt(&line, "  %s/%s/%s %s %s", brief_of(b, stage->target), stage->variant, stage->name,
	        l->signs->arrow, buf_text(&command));
	add_line(b, d, buf_text(&line), l->columns);
}

/* What runs longest says what it is at, or the next one that says anything. */
static void add_said(const struct board *b, const struct layout *l, struct drawing *d)
{
	_cleanup_buf_ struct buf line = BUF_INIT(LINE_MOST);

	for (size_t i = 0; i < b->running.n && !line.n; i++) {
		const struct running *r = &b->running.v[i];
		const struct stage *stage = r->node->stage;

		if (r->said)
			buf_fmt(&line, "  %s/%s/%s %s %s", brief_of(b, stage->target),
			        stage->variant, stage->name, l->signs->quote, r->said);
	}
	add_line(b, d, buf_text(&line), l->columns);
}

void board_picture(struct board *b, struct drawing *ret)
{
	const struct layout l = layout_of(b);

	if (l.header)
		add_header(b, &l, ret);
	if (l.header && l.airy)
		add_line(b, ret, "", l.columns);
	add_rows(b, &l, ret);
	if (l.airy)
		add_line(b, ret, "", l.columns);
	add_totals(b, &l, ret);
	if (l.current)
		add_current(b, &l, ret);
	if (l.said)
		add_said(b, &l, ret);
}
