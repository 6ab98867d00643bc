/* A grid of cells, and the few sequences the board knows. Each character takes one cell here. */
#include "fakes/terminal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct buf shown = BUF_INIT(1 << 20);

void terminal_init(struct terminal *t, int columns, int rows)
{
	memset(t, 0, sizeof(*t));
	t->columns = columns;
	t->rows = rows;
	t->gone = (struct buf)BUF_INIT(1 << 20);
	assert_true(columns <= TERMINAL_COLUMNS && rows <= TERMINAL_ROWS);
}

void terminal_deinit(struct terminal *t)
{
	buf_deinit(&t->gone);
	buf_deinit(&shown);
	shown = (struct buf)BUF_INIT(1 << 20);
}

/* A row without the blanks at its end. */
static void add_row(const struct terminal *t, int y, struct buf *text)
{
	int n = t->columns;

	while (n > 0 && (!t->cells[y][n - 1][0] || strcmp(t->cells[y][n - 1], " ") == 0))
		n--;
	for (int x = 0; x < n; x++)
		buf_add_str(text, t->cells[y][x][0] ? t->cells[y][x] : " ");
	buf_add_char(text, '\n');
}

static void line_feed(struct terminal *t)
{
	if (++t->y < t->rows)
		return;
	add_row(t, 0, &t->gone);
	memmove(t->cells[0], t->cells[1], sizeof(t->cells[0]) * (size_t)(t->rows - 1));
	memset(t->cells[t->rows - 1], 0, sizeof(t->cells[0]));
	t->y = t->rows - 1;
}

static void erase_line(struct terminal *t, int y, int from)
{
	for (int x = from; x < t->columns; x++)
		t->cells[y][x][0] = '\0';
}

/* From the first cell it clears the screen, and what stood there scrolls out, as in tmux. */
static void erase_below(struct terminal *t)
{
	if (t->x == 0 && t->y == 0)
		for (int y = 0; y < t->rows; y++)
			add_row(t, y, &t->gone);
	for (int y = t->y; y < t->rows; y++)
		erase_line(t, y, y == t->y ? t->x : 0);
}

/* Returns the bytes it took. */
static size_t sequence(struct terminal *t, const char *text)
{
	size_t n = 2 + strspn(text + 2, "?0123456789;");
	int number = atoi(text + 2);

	assert_int_equal(text[1], '[');
	if (text[n] == 'A')
		t->y = t->y > number ? t->y - number : 0;
	else if (text[n] == 'K')
		erase_line(t, t->y, t->x);
	else if (text[n] == 'C')
		t->x += t->x + 1 < t->columns;
	else if (text[n] == 'J')
		erase_below(t);
	else if (strncmp(text, "\033[?25", 5) == 0)
		t->hidden = text[n] == 'l';
	else
		assert_int_equal(text[n], 'm');
	return n + 1;
}

static size_t character(struct terminal *t, const char *text)
{
	size_t n = 1;

	while (((unsigned char)text[n] & 0xc0) == 0x80)
		n++;
	assert_true(n < sizeof(t->cells[0][0]));
	if (t->x == t->columns) {
		t->x = 0;
		line_feed(t);
	}
	memcpy(t->cells[t->y][t->x], text, n);
	t->cells[t->y][t->x++][n] = '\0';
	return n;
}

void terminal_write(struct terminal *t, const char *text, size_t n)
{
	for (size_t i = 0; i < n;) {
		if (text[i] == '\033') {
			i += sequence(t, text + i);
		} else if (text[i] == '\r') {
			t->x = 0;
			i++;
		} else if (text[i] == '\n') {
			t->x = 0;
			line_feed(t);
			i++;
		} else {
			i += character(t, text + i);
		}
	}
}

const char *terminal_text(struct terminal *t)
{
	int last = t->rows - 1;

	buf_clear(&shown);
	while (last > 0) {
		size_t before = shown.n;

		add_row(t, last, &shown);
		if (shown.n > before + 1)
			break;
		last--;
	}
	buf_clear(&shown);
	for (int y = 0; y <= last; y++)
		add_row(t, y, &shown);
	return buf_text(&shown);
}
