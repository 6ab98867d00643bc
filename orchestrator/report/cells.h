#ifndef KILN_REPORT_CELLS_H
#define KILN_REPORT_CELLS_H

#include <locale.h>
#include <stdbool.h>

#include "base/buf.h"

/*
 * Text by the cells it takes on a terminal: most characters one, East Asian ones two, combining
 * ones none, colours (ECMA-48, SGR) none.
 */
struct cells {
	locale_t utf8; /* knows the widths; 0: nobody here does, and each takes one */
	bool ascii;    /* the terminal knows no other characters: "?" stands for them */
};

void cells_init(struct cells *cells, bool ascii);
void cells_deinit(struct cells *cells);

/* The width of a text. */
int cells_of(const struct cells *cells, const char *text);
/* Adds a text, cut to so many cells; colours are never cut, and what would move the cursor becomes a
 * blank. Returns the cells that were used. */
int cells_add(const struct cells *cells, struct buf *out, const char *text, int most);
/* The same, filled up with blanks. */
void cells_pad(const struct cells *cells, struct buf *out, const char *text, int width);

#endif
