/* Libraries that are loaded when they are needed, and what is said where they are not there. */
#include "unit/support.h"

#include <string.h>

#include "external/late.h"

struct table {
	size_t (*length)(const char *text);
	int (*none)(void);
};

static void calls_are_found(void **state)
{
	static const struct late_library library = { "libc.so.6", "the C library", "libc6" };
	static const struct late_call calls[] = { { "strnlen", offsetof(struct table, length) } };
	struct table table = { 0 };
	struct err err = ERR_INIT;

	(void)state;
	must(late_load(&library, calls, 1, &table, &err), &err);
	assert_non_null(table.length);
}

static void what_is_missing_is_named(void **state)
{
	static const struct {
		struct late_library library;
		const char *call, *told;
	} cases[] = {
		{ { "libkiln-lacks.so.9", "libx, which is not there", "libx9" },
		  "x",
		  "libkiln-lacks.so.9" },
		{ { "libc.so.6", "the C library, too old", "libc6" }, "kiln_lacks", "kiln_lacks" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct late_call call = { cases[i].call, offsetof(struct table, none) };
		struct table table = { 0 };
		struct err err = ERR_INIT;

		assert_int_equal(late_load(&cases[i].library, &call, 1, &table, &err), -1);
		assert_int_equal(err.code, ERR_MACHINE);
		assert_contains(err.cause, cases[i].library.does);
		assert_contains(err.cause, cases[i].told);
		assert_contains(err.hint, cases[i].library.package);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_are_found),
		cmocka_unit_test(what_is_missing_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
