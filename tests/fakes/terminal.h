#ifndef KILN_FAKES_TERMINAL_H
#define KILN_FAKES_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/*
 * A terminal as far as the board needs one: it wraps, scrolls, and knows the sequences that the
 * board writes. Another one fails the test.
 */
enum { TERMINAL_COLUMNS = 220, TERMINAL_ROWS = 70 };

struct terminal {
	int columns, rows;
	int x, y; /* of the cursor; x may be `columns`: the next character wraps */
	bool hidden;
	char cells[TERMINAL_ROWS][TERMINAL_COLUMNS][8];
	struct buf gone; /* lines that scrolled out, each ended by "\n" */
};

void terminal_init(struct terminal *t, int columns, int rows);
void terminal_deinit(struct terminal *t);
void terminal_write(struct terminal *t, const char *text, size_t n);
/* What stands on the screen down to the last line with something in it; valid until the next call. */
const char *terminal_text(struct terminal *t);

#endif
