/* Lines of two streams by their times. */
#include "report/stamped.h"

#include "base/str.h"
#include "unit/support.h"

static void check(const char *out, const struct times *out_times, const char *log,
                  const struct times *log_times, const char *wanted)
{
	struct buf text = BUF_INIT(1 << 16);

	stamped_lines(str_of(out), out_times, str_of(log), log_times, 1700000000500000, &text);
	assert_string_equal(buf_text(&text), wanted);
	buf_deinit(&text);
}

static void lines_stand_as_they_came(void **state)
{
	struct times out = { 0 }, log = { 0 }, none = { 0 };

	(void)state;
	times_note(&out, 0, 0);
	times_note(&out, 6, 2000000); /* in the middle of a line: it began before */
	times_note(&out, 8, 3000000);
	times_note(&log, 0, 1000000);
	check("one\ntwo\nthree", &out, "a\nb\n", &log,
	      "2023-11-14T22:13:20.500Z one\n"
	      "2023-11-14T22:13:20.500Z two\n"
	      "2023-11-14T22:13:21.500Z a\n"
	      "2023-11-14T22:13:21.500Z b\n"
	      "2023-11-14T22:13:23.500Z three\n");
	check("one\n\n", &none, "a\n", &none,
	      "2023-11-14T22:13:20.500Z one\n"
	      "2023-11-14T22:13:20.500Z \n"
	      "2023-11-14T22:13:20.500Z a\n");
	check("", &none, "", &none, "");
	times_deinit(&out);
	times_deinit(&log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_stand_as_they_came),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
