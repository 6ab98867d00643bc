#ifndef KILN_REPORT_BOARD_H
#define KILN_REPORT_BOARD_H

#include "base/array.h"
#include "engine/engine.h"
#include "report/cells.h"
#include "report/sink.h"

/* The board's state (board.c) and its picture (board_draw.c); of this folder alone. */

/* A target. */
struct row {
	const char *target, *brief; /* its triple, and the shortest beginning that only it has */
	const char *ships;          /* the variant of its packages; NULL: it has none */
	size_t total, finished, failed, skipped;
	bool shown;
};

struct running {
	const struct plan_node *node;
	int64_t since_us;
	char *said; /* its last line as of a tick; owned; NULL: none yet */
};

struct drawing {
	struct buf text;  /* lines, each ended by "\n" */
	ARRAY(int) cells; /* how wide each is */
};

struct board {
	struct progress base;
	struct cells cells;
	const struct plan *plan;
	ARRAY(struct row) rows;
	ARRAY(struct running) running;     /* in the order of their starts */
	ARRAY(char *) briefs;              /* owned */
	const struct engine_node *nodes;   /* or NULL */
	const struct plan_node *critical;  /* as of the last tick */
	int64_t left_us;                   /* the same; -1: not known */
	size_t done, cached, failed, left; /* stages; `left` includes what runs */

	struct drawing drawn;   /* what is on the screen; no lines: nothing is */
	int columns, rows_then; /* the terminal's size when it was drawn */
	/* Widths of its first lines that a terminal that became too small has pushed beyond its upper
	 * end: they come back with its size. */
	ARRAY(int) lost;
	int64_t drawn_us, begun_us;
	bool started; /* something runs or failed: there is something to show */
	bool spoken;  /* some stage printed something: there is a line for it from then on */
};

/* Makes the picture of what is known now. */
void board_picture(struct board *board, struct drawing *ret);
void drawing_deinit(struct drawing *drawing);
/* How many rows of a terminal so many lines of a drawing take at that width. */
size_t drawing_rows(const int *cells, size_t n, int columns);

#endif
