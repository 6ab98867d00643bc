/* A line with a caret: the caret stands below its character, whatever the line holds. */
#include "unit/support.h"

#include "base/excerpt.h"

static void assert_shows(const char *text, size_t line, size_t column, const char *note,
                         const char *wanted)
{
	_cleanup_buf_ struct buf out = BUF_INIT(4096);

	excerpt_add(&out, text, strlen(text), line, column, note);
	assert_string_equal(buf_text(&out), wanted);
}

static void test_places(void **state)
{
	(void)state;
	assert_shows("one\ntwo\n", 2, 2, "here", "\n    2 | two\n      |  ^ here");
	assert_shows("  one\r\n", 1, 0, NULL, "\n    1 |   one\n      |   ^");
	assert_shows("one", 1, 4, "", "\n    1 | one\n      |    ^");
	assert_shows("one", 1, 99, NULL, "\n    1 | one\n      |    ^");
	assert_shows("one", 2, 1, NULL, "");
	assert_shows("one", 0, 1, NULL, "");
	assert_shows("", 1, 0, NULL, "\n    1 | \n      | ^");
}

static void test_characters(void **state)
{
	(void)state;
	assert_shows("\tx", 1, 2, NULL, "\n    1 |  x\n      |  ^");
	assert_shows("äöü x", 1, 5, NULL, "\n    1 | äöü x\n      |     ^");
	assert_shows("a\x1b[31mb", 1, 1, NULL, "\n    1 | a?[31mb\n      | ^");
}

static void test_long_lines(void **state)
{
	char text[1001];
	_cleanup_buf_ struct buf out = BUF_INIT(4096);

	(void)state;
	memset(text, 'x', 1000);
	text[1000] = '\0';
	text[499] = '!';
	excerpt_add(&out, text, 1000, 1, 500, NULL);
	assert_true(out.n < 300);
	assert_contains(buf_text(&out), "…x");
	/* 61 characters in front of it, the ellipsis included. */
	assert_contains(buf_text(&out),
	                "      |                                                              ^");
	assert_contains(buf_text(&out), "!");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_characters),
		cmocka_unit_test(test_long_lines),
	};

	return cmocka_run_group_tests_name("excerpt", tests, NULL, NULL);
}
