/* Text by the cells it takes. */
#include "fakes/fixture.h"

#include "report/cells.h"

static const struct {
	const char *text;
	int width;
} widths[] = {
	{ "", 0 },
	{ "abc", 3 },
	{ "é·█…▸", 5 },
	{ "漢字", 4 },      /* two cells each */
	{ "e\xcc\x81", 1 }, /* an accent of its own: none */
	{ "\033[31mab\033[0m", 2 },
	{ "\033[2J", 4 }, /* no colour: its escape is a blank, the rest is text */
	{ "a\tb\n", 4 },
	{ "\xff\xfe", 2 }, /* no UTF-8 */
	{ "\xe6\xbc", 2 }, /* half a character */
};

static void every_text_has_its_width(void **state)
{
	struct cells cells;

	(void)state;
	cells_init(&cells, false);
	assert_true(cells.utf8 != (locale_t)0);
	for (size_t i = 0; i < ARRAY_LEN(widths); i++)
		if (cells_of(&cells, widths[i].text) != widths[i].width)
			fail_msg("\"%s\" takes %d cells, not %d", widths[i].text,
			         cells_of(&cells, widths[i].text), widths[i].width);
	cells_deinit(&cells);
}

/* Whatever is asked for, that much is the most it takes; what comes is valid and moves nothing. */
static void a_cut_fits(void **state)
{
	struct cells cells;

	(void)state;
	cells_init(&cells, false);
	for (size_t i = 0; i < ARRAY_LEN(widths); i++)
		for (int most = 0; most < 7; most++) {
			_cleanup_buf_ struct buf out = BUF_INIT(1000);
			int used = cells_add(&cells, &out, widths[i].text, most);

			assert_true(used <= most && used <= widths[i].width);
			assert_int_equal(cells_of(&cells, buf_text(&out)), used);
			assert_true(str_is_utf8(buf_str(&out)));
			assert_null(strpbrk(buf_text(&out), "\t\n\r\b"));
		}
	cells_deinit(&cells);
}

static char *cut(const char *text, int most, bool ascii, bool pad)
{
	struct buf out = BUF_INIT(1000);
	struct cells cells;

	cells_init(&cells, ascii);
	if (pad)
		cells_pad(&cells, &out, text, most);
	else
		cells_add(&cells, &out, text, most);
	cells_deinit(&cells);
	return buf_steal(&out);
}

static void cuts_and_pads(void **state)
{
	static const struct {
		const char *text;
		int most;
		bool ascii, pad;
		const char *becomes;
	} cases[] = {
		{ "abcdef", 3, false, false, "abc" },
		{ "漢字漢", 5, false, false, "漢字" }, /* half of one is none */
		{ "漢字漢", 5, false, true, "漢字 " },
		{ "ab", 4, false, true, "ab  " },
		{ "abcdef", 4, false, true, "abcd" },
		/* What coloured the cut part is undone all the same. */
		{ "\033[31mabc\033[0m", 1, false, false, "\033[31ma\033[0m" },
		{ "a\033b\x07", 9, false, false, "a b " },
		{ "é漢", 9, true, false, "??" },
		{ "e\xcc\x81!", 9, true, false, "e!" },
		{ "x\xff", 9, false, false, "x?" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_free_ char *got =
			cut(cases[i].text, cases[i].most, cases[i].ascii, cases[i].pad);

		assert_string_equal(got, cases[i].becomes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_text_has_its_width),
		cmocka_unit_test(a_cut_fits),
		cmocka_unit_test(cuts_and_pads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
