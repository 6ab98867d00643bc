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
	size_t total, finished, failed, skipped;
	bool shown;
	const struct plan_node *current; /* the one that started last and still runs */
	int64_t since_us;
	int64_t last_us; /* how long the last finished stage took */
};

struct progress {
	struct event_sink sink;
	struct progress_output *output;
	ARRAY(struct row) rows;
	ARRAY(const struct plan_node *) running;
	size_t drawn;    /* lines of the board on the screen */
	struct buf held; /* plain: "cached" lines that wait for a stage that runs */
};

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

static void put(struct progress *p, const struct buf *text)
{
	p->output->write(p->output, buf_text(text), text->n);
}

static const char *paint(const struct progress *p, const char *code)
{
	return p->output->colour ? code : "";
}

enum { LINE_MOST = 1000 }; /* bytes of one line of a failed stage's log */

#define RED "\033[31m"
#define DIM "\033[2m"
#define BOLD "\033[1m"
#define PLAIN "\033[0m"

/* ---- a failure, the same in both shapes --------------------------------------------------- */

/* What a build printed, without what would move the cursor or name the window. */
static void add_clean(struct buf *text, struct str line)
{
	for (size_t i = 0; i < line.n; i++) {
		unsigned char c = (unsigned char)line.p[i];
		bool c1 = c == 0xc2 && i + 1 < line.n &&
		          ((unsigned char)line.p[i + 1] & 0xe0) == 0x80;

		if (c == '\t' || (c >= 0x20 && c != 0x7f && !c1)) {
			buf_add_char(text, line.p[i]);
		} else {
			buf_add_char(text, '?');
			i += c1;
		}
	}
}

/* A line that would fill the screen is cut, between two characters; the log has it whole. */
static void add_cut(struct buf *text, struct str line)
{
	size_t n = line.n;

	if (n > LINE_MOST)
		for (n = LINE_MOST; n > 0 && ((unsigned char)line.p[n] & 0xc0) == 0x80;)
			n--;
	add_clean(text, (struct str){ line.p, n });
	if (n < line.n)
		buf_add_str(text, "…");
}

static void add_indented(struct buf *text, const char *lines)
{
	struct str rest = str_of(lines), line;

	while (str_cut(&rest, '\n', &line)) {
		if (line.n == 0 && !rest.p)
			break;
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		buf_add_str(text, "    ");
		add_cut(text, line);
		buf_add_char(text, '\n');
	}
}

/* As one would type it; of an argument of several lines only that it is one. */
static void add_quoted(struct buf *text, const char *arg)
{
	struct str rest = str_of(arg), part;
	bool first = true;

	if (strchr(arg, '\n')) {
		buf_add_str(text, "'…'");
	} else if (arg[0] && !strpbrk(arg, " \t$'\"\\*?;&|<>()[]{}~#`!")) {
		add_clean(text, rest);
	} else {
		buf_add_char(text, '\'');
		for (; str_cut(&rest, '\'', &part); first = false) {
			buf_add_str(text, first ? "" : "'\\''");
			add_clean(text, part);
		}
		buf_add_char(text, '\'');
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
		buf_add_char(text, ' ');
		add_quoted(text, action->argv[i]);
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
	buf_add_str(text, "\n    log      kiln log ");
	for (const char *const *word = p->output->again; word && *word; word++) {
		add_quoted(text, *word);
		buf_add_char(text, ' ');
	}
	buf_fmt(text, "%s\n    recipe   %s\n", stage->address, stage->where);
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
		buf_fmt(&p->held, "  cached  %s\n", address);
		return;
	case EVENT_DONE:
		buf_fmt(&text, "  done    %s   %s\n", address, progress_duration(e->wall_us, took));
		break;
	case EVENT_FAILED:
		add_failure(p, e, &text);
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
		put(p, &p->held);
	buf_clear(&p->held);
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
	row->skipped += e->kind == EVENT_SKIPPED;
	row->last_us = e->wall_us;
	if (row->current == e->node) {
		row->current = NULL;
		for (size_t i = 0; i < p->running.n; i++)
			if (str_eq(p->running.v[i]->stage->target, row->target))
				row->current = p->running.v[i];
	}
}

struct layout {
	int columns; /* most cells of a line */
	int name, bar;
	size_t rows; /* most rows of targets */
};

/* The last column stays free, so that no terminal wraps. */
static struct layout layout_of(const struct progress *p)
{
	int columns = p->output->columns > 0 ? p->output->columns : 80;
	int rows = p->output->rows > 0 ? p->output->rows : 24;
	struct layout l = { .columns = columns > 1 ? columns - 1 : 1, .name = 10 };

	l.bar = columns < 4 * BAR_CELLS ? columns / 4 : BAR_CELLS;
	l.rows = rows > 4 ? (size_t)rows - 4 : 0;
	for (size_t i = 0; i < p->rows.n; i++)
		if ((int)strlen(p->rows.v[i].target) > l.name)
			l.name = (int)strlen(p->rows.v[i].target);
	if (l.name > columns - l.bar - 20)
		l.name = columns - l.bar - 20 > 8 ? columns - l.bar - 20 : 8;
	return l;
}

static void add_bar(const struct progress *p, const struct row *row, int cells, struct buf *text)
{
	size_t full = row->total ? row->finished * (size_t)cells / row->total : (size_t)cells;

	buf_add_str(text, paint(p, row->failed ? RED : ""));
	for (size_t i = 0; i < (size_t)cells; i++)
		buf_add_str(text, i < full ? "█" : "·");
	buf_add_str(text, paint(p, row->failed ? PLAIN : ""));
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

static void add_row(const struct progress *p, const struct row *row, const struct layout *layout,
                    struct buf *text)
{
	_cleanup_buf_ struct buf line = BUF_INIT(4096);
	char took[16];

	buf_fmt(&line, "  %-*.*s  ", layout->name, layout->name, row->target);
	add_bar(p, row, layout->bar, &line);
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

static void erase_board(struct progress *p, struct buf *text)
{
	if (p->drawn)
		buf_fmt(text, "\033[%zuA\r\033[J", p->drawn);
	p->drawn = 0;
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
static size_t choose_rows(struct progress *p, size_t most)
{
	size_t n = 0;

	for (size_t i = 0; i < p->rows.n; i++)
		p->rows.v[i].shown = false;
	for (int level = 0; level < 4; level++)
		for (size_t i = 0; i < p->rows.n && n < most; i++)
			if (urgency(&p->rows.v[i]) == level) {
				p->rows.v[i].shown = true;
				n++;
			}
	return n;
}

static void draw_board(struct progress *p, const struct event *e, struct buf *text)
{
	const struct layout layout = layout_of(p);
	bool all = p->rows.n <= layout.rows;
	size_t shown = choose_rows(p, all || layout.rows == 0 ? layout.rows : layout.rows - 1);

	for (size_t i = 0; i < p->rows.n; i++)
		if (p->rows.v[i].shown)
			add_row(p, &p->rows.v[i], &layout, text);
	if (!all && layout.rows > 0) {
		_cleanup_buf_ struct buf line = BUF_INIT(100);

		buf_fmt(&line, "  … and %zu more", p->rows.n - shown);
		add_line(text, buf_text(&line), layout.columns);
		shown++;
	}
	add_totals(e, &layout, text);
	p->drawn = shown + 2;
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

/* A string, escaped where it is no UTF-8: a stage's own words may hold any bytes. */
static json_t *text_of(const char *text)
{
	_cleanup_free_ char *escaped = NULL;

	if (str_is_utf8(str_of(text)))
		return json_string(text);
	escaped = str_escape(str_of(text));
	return json_string(escaped);
}

static void on_json(struct event_sink *sink, const struct event *e)
{
	static const char *const names[] = {
		[EVENT_BEGIN] = "begin", [EVENT_START] = "start",   [EVENT_CACHED] = "cached",
		[EVENT_DONE] = "done",   [EVENT_FAILED] = "failed", [EVENT_SKIPPED] = "skipped",
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
			json_object_set_new(line, "why", text_of(e->why));
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
	p->held = BUF_INIT(TEXT_MOST);
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
		buf_deinit(&progress->held);
		free(progress);
	}
	return NULL;
}

struct event_sink *progress_sink(struct progress *progress)
{
	return &progress->sink;
}
