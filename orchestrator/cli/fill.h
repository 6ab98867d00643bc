#ifndef KILN_CLI_FILL_H
#define KILN_CLI_FILL_H

#include "base/buf.h"

enum { FILL_WIDTH = 79 };

/*
 * Adds words broken at FILL_WIDTH columns. The line that is being written has `column` columns
 * already; those that follow start with `indent` spaces. The last line gets no line end.
 */
void fill_words(struct buf *out, const char *text, size_t column, size_t indent);
/* Paragraphs, filled anew; lines that start with a space stand as they are (examples). Ends with a
 * line end. */
void fill_paragraphs(struct buf *out, const char *text);
/* "  NAME   text" with the text filled beside the name, or below it where the name is longer than
 * `width` columns. */
void fill_item(struct buf *out, const char *name, const char *text, size_t width);

#endif
