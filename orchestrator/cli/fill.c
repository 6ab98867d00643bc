/* Text for a screen of 80 columns: whoever writes a help text need not count them. */
#include "cli/fill.h"

#include <string.h>

#include "base/alloc.h"

/* Columns, where every character takes one. */
static size_t columns(const char *text, size_t n)
{
	size_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += ((unsigned char)text[i] & 0xc0) != 0x80;
	return sum;
}

void fill_words(struct buf *out, const char *text, size_t column, size_t indent)
{
	bool fresh = true;

	for (const char *p = text + strspn(text, " \n"); *p; p += strspn(p, " \n")) {
		size_t n = strcspn(p, " \n");
		size_t wide = columns(p, n);

		if (!fresh && column + 1 + wide > FILL_WIDTH) {
			buf_fmt(out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (!fresh) {
			buf_add_char(out, ' ');
			column++;
		}
		buf_add(out, p, n);
		column += wide;
		fresh = false;
		p += n;
	}
}

/* The length of the paragraph at `text`: up to an empty line or to where the lines' kind changes. */
static size_t paragraph(const char *text, bool verbatim)
{
	const char *p = text;

	while (*p && *p != '\n' && (*p == ' ') == verbatim) {
		p += strcspn(p, "\n");
		p += *p == '\n';
	}
	return (size_t)(p - text);
}

void fill_paragraphs(struct buf *out, const char *text)
{
	for (const char *p = text; *p;) {
		bool verbatim = *p == ' ';
		size_t n = paragraph(p, verbatim);
		_cleanup_free_ char *part = str_dup_n(p, n);

		if (n == 0) {
			buf_add_char(out, *p++);
			continue;
		}
		p += n;
		if (verbatim) {
			buf_add_str(out, part);
			if (part[n - 1] == '\n')
				continue;
		} else {
			fill_words(out, part, 0, 0);
		}
		buf_add_char(out, '\n');
	}
}

void fill_item(struct buf *out, const char *name, const char *text, size_t width)
{
	buf_fmt(out, "  %-*s", (int)width, name);
	if (columns(name, strlen(name)) > width)
		buf_fmt(out, "\n%*s", (int)width + 2, "");
	buf_add_char(out, ' ');
	fill_words(out, text, width + 3, width + 3);
	buf_add_char(out, '\n');
}
