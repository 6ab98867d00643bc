/* One line in place. The cursor stays where it is seen: nothing needs to be put right by an error. */
#include "cli/working.h"

#include <unistd.h>

#include "cli/print.h"
#include "host/clock.h"
#include "host/fs.h"
#include "host/terminal.h"
#include "report/cells.h"
#include "report/paint.h"
#include "report/progress.h"
#include "report/size.h"

enum { PACE_US = 100000, LINE_MOST = 4096, COLUMNS = 80 };

static int columns_now(void)
{
	int columns, rows;

	return terminal_size(STDERR_FILENO, &columns, &rows) && columns > 0 ? columns : COLUMNS;
}

static void put(const struct buf *text)
{
	struct err ignored = ERR_INIT;

	fs_write_all(STDERR_FILENO, buf_text(text), text->n, "standard error", &ignored);
}

/* To where the line begins, which lies higher where the terminal became narrower and wrapped it. */
static void add_erasing(const struct working *w, int columns, struct buf *text)
{
	const int up = terminal_rewraps() ? (w->cells - 1) / columns : 0;

	if (up > 0)
		buf_fmt(text, "\033[%dA", up);
	buf_add_str(text, "\r" ERASE_ALL);
}

static void add_far(const struct work *work, struct buf *line)
{
	char size[24];

	if (work->bytes > 0 && work->total >= work->bytes)
		buf_fmt(line, "  %u %%", (unsigned int)(work->bytes * 100 / work->total));
	else if (work->bytes > 0)
		buf_fmt(line, "  %s", size_text(work->bytes, size));
}

static void draw(struct working *w, const struct work *work)
{
	const int columns = columns_now();
	_cleanup_buf_ struct buf line = BUF_INIT(LINE_MOST), text = BUF_INIT(LINE_MOST);
	struct cells cells;
	char clock[16];
	int most;

	w->drawn_us = clock_mono_us();
	if (!terminal_is_ours(STDERR_FILENO))
		return;
	cells_init(&cells, !terminal_is_utf8());
	add_far(work, &line);
	buf_fmt(&line, "  %s", progress_clock(w->drawn_us - w->began_us, clock));
	most = columns - 1 - 2 - (int)line.n;
	if (w->cells > 0)
		add_erasing(w, columns, &text);
	buf_add_str(&text, "  ");
	w->cells = 2 + cells_add(&cells, &text, work->what, most > 0 ? most : 0);
	w->cells += cells_add(&cells, &text, buf_text(&line), columns - 1 - w->cells);
	cells_deinit(&cells);
	put(&text);
}

void working_hide(struct cli *cli)
{
	_cleanup_buf_ struct buf text = BUF_INIT(LINE_MOST);

	if (cli->working.cells == 0)
		return;
	add_erasing(&cli->working, columns_now(), &text);
	cli->working.cells = 0;
	put(&text);
}

static void say_end(struct cli *cli, enum work_phase phase, const struct work *work)
{
	const uint64_t bytes = work->bytes;
	char took[16], size[24];

	print_note(cli, "  %s: %s%s%s %s %s", work->what, phase == WORK_DONE ? "done" : "failed",
	           bytes ? ", " : "", bytes ? size_text(bytes, size) : "",
	           phase == WORK_DONE ? "in" : "after",
	           progress_duration(clock_mono_us() - cli->working.began_us, took));
}

void working_show(struct log *log, enum work_phase phase, const struct work *work)
{
	struct cli *cli = (struct cli *)((char *)log - offsetof(struct cli, log));
	struct working *w = &cli->working;

	switch (phase) {
	case WORK_BEGINS:
		w->began_us = clock_mono_us();
		cli->work = work;
		if (print_is_live(cli))
			draw(w, work);
		else
			print_note(cli, "  %s", work->what);
		break;
	case WORK_GOES_ON:
		working_tick(cli);
		break;
	case WORK_DONE:
	case WORK_FAILED:
		working_hide(cli);
		cli->work = NULL;
		if (!str_eq(cli->progress, "none"))
			say_end(cli, phase, work);
		break;
	}
}

void working_tick(struct cli *cli)
{
	if (cli->work && print_is_live(cli) && clock_mono_us() - cli->working.drawn_us >= PACE_US)
		draw(&cli->working, cli->work);
}
