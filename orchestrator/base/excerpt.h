#ifndef KILN_BASE_EXCERPT_H
#define KILN_BASE_EXCERPT_H

#include <stddef.h>

#include "base/buf.h"

/*
 * Shows one line of a text with a caret below a place in it:
 *
 *	   14 |   targets = { "x86_64-unknown-linux-glibc" },
 *	      |               ^ did you mean "x86_64-unknown-linux-gnu"?
 *
 * Line and column (characters of UTF-8) count from 1; column 0 points at the line's first word. The note may be
 * NULL. Begins with a newline, ends without one. Adds nothing where the text has no such line.
 */
void excerpt_add(struct buf *out, const char *text, size_t n, size_t line, size_t column,
                 const char *note);
/* The line itself, without its newline; false where there is none. */
bool excerpt_line(const char *text, size_t n, size_t line, struct str *ret);

#endif
