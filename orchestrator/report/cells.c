/*
 * The C library knows how wide characters are, in a locale of its own choice: Kiln's is the plain
 * one, so that nothing that is parsed hangs on the user's. A locale object is used for a moment.
 */
#include "report/cells.h"

#include <limits.h>
#include <string.h>
#include <wchar.h>

void cells_init(struct cells *cells, bool ascii)
{
	*cells = (struct cells){ .utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0),
		                 .ascii = ascii };
}

void cells_deinit(struct cells *cells)
{
	if (cells->utf8)
		freelocale(cells->utf8);
	cells->utf8 = (locale_t)0;
}

/* The bytes of a colour sequence at the front; 0: there is none. */
static size_t colour_at(const char *text)
{
	size_t n;

	if (text[0] != '\033' || text[1] != '[')
		return 0;
	n = 2 + strspn(text + 2, "0123456789;");
	return text[n] == 'm' ? n + 1 : 0;
}

/* One character: how many bytes, and how wide. Width -1: nothing that may be shown. */
struct glyph {
	size_t n;
	int width;
};

static struct glyph wide_at(const struct cells *cells, const char *text)
{
	struct glyph g = { 1, 1 };
	mbstate_t state = { 0 };
	locale_t before;
	wchar_t c;
	size_t n;

	if (!cells->utf8) {
		while (((unsigned char)text[g.n] & 0xc0) == 0x80)
			g.n++;
		return g;
	}
	before = uselocale(cells->utf8);
	n = mbrtowc(&c, text, strnlen(text, MB_LEN_MAX), &state);
	if (n == 0 || n == (size_t)-1 || n == (size_t)-2)
		g.width = -1;
	else
		g = (struct glyph){ n, wcwidth(c) };
	uselocale(before);
	return g;
}

static struct glyph glyph_at(const struct cells *cells, const char *text)
{
	unsigned char c = (unsigned char)text[0];

	if (c < 0x80)
		return (struct glyph){ 1, c < 0x20 || c == 0x7f ? -1 : 1 };
	return wide_at(cells, text);
}

static void add_glyph(const struct cells *cells, struct buf *out, const char *text, struct glyph *g)
{
	if (g->width < 0) {
		g->width = 1;
		buf_add_char(out, (unsigned char)text[0] < 0x80 ? ' ' : '?');
	} else if (cells->ascii && (unsigned char)text[0] >= 0x80) {
		if (g->width > 0)
			buf_add_char(out, '?');
		g->width = g->width > 0;
	} else {
		buf_add(out, text, g->n);
	}
}

int cells_add(const struct cells *cells, struct buf *out, const char *text, int most)
{
	bool cut = false;
	int used = 0;

	while (*text) {
		size_t colour = colour_at(text);
		struct glyph g;

		if (colour) {
			buf_add(out, text, colour);
			text += colour;
			continue;
		}
		g = glyph_at(cells, text);
		cut |= used + (g.width < 0 ? 1 : g.width) > most;
		if (!cut) {
			add_glyph(cells, out, text, &g);
			used += g.width;
		}
		text += g.n;
	}
	return used;
}

int cells_of(const struct cells *cells, const char *text)
{
	struct buf nowhere = BUF_INIT(0);
	int used = cells_add(cells, &nowhere, text, INT_MAX / 2);

	buf_deinit(&nowhere);
	return used;
}

void cells_pad(const struct cells *cells, struct buf *out, const char *text, int width)
{
	int used = cells_add(cells, out, text, width);

	while (used++ < width)
		buf_add_char(out, ' ');
}
