/* Errors: the first cause stays, the trail grows, nothing overflows, statuses are as documented. */
#include <errno.h>

#include "unit/support.h"

static void the_first_cause_stays(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(err_set(&err, ERR_INPUT, "first %d", 1), -1);
	assert_int_equal(err_set(&err, ERR_IO, "second"), -1);
	assert_int_equal(err.code, ERR_INPUT);
	assert_string_equal(err.cause, "first 1");
	err_clear(&err);
	assert_int_equal(err.code, ERR_NONE);
	err_set(&err, ERR_IO, "second");
	assert_string_equal(err.cause, "second");
}

static void errno_is_kept_and_named(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	errno = ENOENT;
	err_sys(&err, ERR_IO, "cannot open %s", "x");
	assert_int_equal(err.sys, ENOENT);
	assert_string_equal(err.cause, "cannot open x: No such file or directory");
	assert_string_equal(err.hint, "");
}

static void full_disks_get_a_hint(void **state)
{
	static const int full[] = { ENOSPC, EDQUOT };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(full); i++) {
		struct err err = ERR_INIT;

		errno = full[i];
		err_sys(&err, ERR_IO, "cannot write");
		assert_contains(err.hint, "free some space");
	}
}

static void the_trail_goes_outwards(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	err_set(&err, ERR_IO, "cause");
	err_while(&err, "reading %s", "a");
	err_while(&err, "building b");
	assert_string_equal(err.trail, "while reading a; while building b");
	err_hint(&err, "first");
	err_hint(&err, "second");
	assert_string_equal(err.hint, "first");
}

static void long_texts_are_cut(void **state)
{
	struct err err = ERR_INIT;
	char text[5000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	errno = EIO;
	err_sys(&err, ERR_IO, "%s", text);
	err_hint(&err, "%s", text);
	for (int i = 0; i < 100; i++)
		err_while(&err, "%.50s", text);
	assert_int_equal(strlen(err.cause), ERR_CAUSE_MAX - 1);
	assert_int_equal(strlen(err.hint), ERR_HINT_MAX - 1);
	assert_true(strlen(err.trail) < ERR_TRAIL_MAX);
}

static void statuses(void **state)
{
	static const int expected[] = {
		[ERR_NONE] = 0,        [ERR_STAGE] = 1,  [ERR_USAGE] = 2,
		[ERR_INPUT] = 3,       [ERR_DENIED] = 4, [ERR_MACHINE] = 5,
		[ERR_INTERRUPTED] = 6, [ERR_IO] = 7,     [ERR_BUG] = 70,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		struct err err = { .code = (enum err_code)i };

		assert_int_equal(err_exit_status(&err), expected[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_cause_stays), cmocka_unit_test(errno_is_kept_and_named),
		cmocka_unit_test(full_disks_get_a_hint), cmocka_unit_test(the_trail_goes_outwards),
		cmocka_unit_test(long_texts_are_cut),    cmocka_unit_test(statuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
