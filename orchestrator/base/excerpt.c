/*
 * A line of a text with a caret: what every error about a recipe or a YAML file ends with. Long
 * lines are shown around the caret; what a terminal could misread is shown as '?'.
 */
#include "base/excerpt.h"

#include <ctype.h>
#include <string.h>

enum { SHOWN = 90, BEFORE = 60 };

bool excerpt_line(const char *text, size_t n, size_t line, struct str *ret)
{
	struct str rest = { text, n }, part;

	if (line == 0)
		return false;
	for (size_t i = 1; str_cut(&rest, '\n', &part); i++)
		if (i == line) {
			if (part.n && part.p[part.n - 1] == '\r')
				part.n--;
			*ret = part;
			return true;
		}
	return false;
}

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* The byte where a character begins; the line's end when it has fewer. */
static size_t byte_of(struct str line, size_t column)
{
	size_t i = 0;

	while (i < line.n && column > 1) {
		i++;
		while (i < line.n && is_continuation(line.p[i]))
			i++;
		column--;
	}
	return i;
}

static void add_visible(struct buf *out, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];

		buf_add_char(out, c == '\t' ? ' ' : c < 0x20 || c == 0x7f ? '?' : p[i]);
	}
}

void excerpt_add(struct buf *out, const char *text, size_t n, size_t line, size_t column,
                 const char *note)
{
	struct str all;
	size_t caret, from = 0, shown;

	if (!excerpt_line(text, n, line, &all))
		return;
	caret = column ? byte_of(all, column) : 0;
	if (!column)
		while (caret < all.n && isspace((unsigned char)all.p[caret]))
			caret++;
	if (caret > BEFORE)
		from = caret - BEFORE;
	while (from < all.n && is_continuation(all.p[from]))
		from++;
	shown = all.n - from > SHOWN ? SHOWN : all.n - from;
	while (from + shown < all.n && is_continuation(all.p[from + shown]))
		shown++;
	buf_fmt(out, "\n%5zu | %s", line, from ? "…" : "");
	add_visible(out, all.p + from, shown);
	buf_fmt(out, "%s\n      | %s", from + shown < all.n ? "…" : "", from ? " " : "");
	for (size_t i = from; i < caret; i++)
		if (!is_continuation(all.p[i]))
			buf_add_char(out, ' ');
	buf_fmt(out, "^%s%s", note && note[0] ? " " : "", note ? note : "");
}
