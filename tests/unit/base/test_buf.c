/* Buffers: always ended by NUL, never past their limit. */
#include "base/buf.h"
#include "unit/support.h"

static void an_empty_buffer_is_empty_text(void **state)
{
	struct buf buf = BUF_INIT(10);
	char *text;

	(void)state;
	assert_string_equal(buf_text(&buf), "");
	assert_int_equal(buf_str(&buf).n, 0);
	text = buf_steal(&buf);
	assert_string_equal(text, "");
	free(text);
	buf_deinit(&buf);
}

static void pieces_are_joined(void **state)
{
	struct buf buf = BUF_INIT(1000);

	(void)state;
	buf_add(&buf, "ab", 2);
	buf_add_str(&buf, "cd");
	buf_add_char(&buf, 'e');
	buf_fmt(&buf, "-%d-%s", 42, "x");
	assert_string_equal(buf_text(&buf), "abcde-42-x");
	assert_int_equal(buf.n, 10);
	buf_clear(&buf);
	assert_string_equal(buf_text(&buf), "");
	buf_deinit(&buf);
}

static void bytes_may_be_anything(void **state)
{
	struct buf buf = BUF_INIT(1000);

	(void)state;
	buf_add(&buf, "a\0b", 3);
	buf_add(&buf, NULL, 0);
	assert_int_equal(buf.n, 3);
	assert_memory_equal(buf.p, "a\0b", 4);
	buf_deinit(&buf);
}

static void what_passes_the_limit_is_not_added(void **state)
{
	struct buf buf = BUF_INIT(5);

	(void)state;
	buf_add_str(&buf, "12345");
	assert_false(buf.overflow);
	buf_add_char(&buf, '6');
	assert_true(buf.overflow);
	assert_string_equal(buf_text(&buf), "12345");
	buf_add(&buf, "", 0); /* once over, always over */
	buf_fmt(&buf, "%s", "");
	assert_true(buf.overflow);
	buf_clear(&buf);
	assert_false(buf.overflow);
	buf_fmt(&buf, "%d", 123456);
	assert_true(buf.overflow);
	assert_string_equal(buf_text(&buf), "");
	buf_deinit(&buf);
}

static void a_huge_length_does_not_wrap(void **state)
{
	struct buf buf = BUF_INIT(SIZE_MAX);

	(void)state;
	buf_add_str(&buf, "x");
	buf_add(&buf, "y", SIZE_MAX);
	assert_true(buf.overflow);
	assert_string_equal(buf_text(&buf), "x");
	buf_deinit(&buf);
}

static void it_grows(void **state)
{
	struct buf buf = BUF_INIT(1 << 20);

	(void)state;
	for (int i = 0; i < 100000; i++)
		buf_add_char(&buf, (char)('a' + i % 26));
	assert_int_equal(buf.n, 100000);
	assert_int_equal(strlen(buf_text(&buf)), 100000);
	assert_int_equal(buf.p[99999], 'a' + 99999 % 26);
	buf_deinit(&buf);
}

static void stolen_text_belongs_to_the_thief(void **state)
{
	struct buf buf = BUF_INIT(100);
	char *text;

	(void)state;
	buf_add_str(&buf, "gold");
	text = buf_steal(&buf);
	buf_add_str(&buf, "new");
	assert_string_equal(text, "gold");
	assert_string_equal(buf_text(&buf), "new");
	buf_deinit(&buf);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_buffer_is_empty_text),
		cmocka_unit_test(pieces_are_joined),
		cmocka_unit_test(bytes_may_be_anything),
		cmocka_unit_test(what_passes_the_limit_is_not_added),
		cmocka_unit_test(a_huge_length_does_not_wrap),
		cmocka_unit_test(it_grows),
		cmocka_unit_test(stolen_text_belongs_to_the_thief),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
