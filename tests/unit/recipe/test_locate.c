/* Fields of table constructors are found in the text, through comments, strings and nesting. */
#include "unit/support.h"

#include "recipe/locate.h"

static const char text[] =
	"local x = { targets = 1 } -- release { name = 'no' }\n"                         /* 1 */
	"--[==[ release {\n"                                                             /* 2 */
	"  name = 'no' ]] ]==]\n"                                                        /* 3 */
	"return release {\n"                                                             /* 4 */
	"  text = \"a { \\\" name = 1\", long = [[ { name = 2 } ]],\n"                   /* 5 */
	"  f = function(a) if a then return { name = 3 } end for _ = 1, 2 do end end,\n" /* 6 */
	"  [\"name\"] = \"x\"; eq = a == b, call = g({ name = 4 }, 5),\n"                /* 7 */
	"  targets = {\n"                                                                /* 8 */
	"    \"one\", -- a comment, with a comma\n"                                      /* 9 */
	"    { \"two\", toolchain = \"t\" }, ab = \"é\", last = 1,\n"                    /* 10 */
	"  },\n"                                                                         /* 11 */
	"  optimize = fdo { lto = \"thin\", ship = \"x\" },\n"                           /* 12 */
	"}\n";

static void assert_at(size_t line, const char *callee, bool key, size_t wanted_line,
                      size_t wanted_column, ...)
{
	const char *path[8] = { 0 };
	struct locate_query query = { .text = text,
		                      .n = sizeof(text) - 1,
		                      .line = line,
		                      .callee = callee,
		                      .path = path,
		                      .key = key };
	size_t got_line = 0, got_column = 0;
	va_list ap;

	va_start(ap, wanted_column);
	for (size_t i = 0; i < 7 && (path[i] = va_arg(ap, const char *)); i++)
		;
	va_end(ap);
	assert_int_equal(locate_field(&query, &got_line, &got_column), wanted_line != 0);
	assert_int_equal(got_line, wanted_line);
	assert_int_equal(got_column, wanted_column);
}

static void test_names(void **state)
{
	(void)state;
	assert_at(4, "release", false, 7, 14, "name", NULL);
	assert_at(4, "release", true, 7, 4, "name", NULL);
	assert_at(4, NULL, true, 8, 3, "targets", NULL);
	assert_at(4, "release", false, 12, 14, "optimize", NULL);
	assert_at(12, "fdo", false, 12, 41, "ship", NULL);
	assert_at(4, "release", false, 12, 26, "optimize", "lto", NULL);
	assert_at(4, "release", true, 7, 19, "eq", NULL);
}

static void test_positions(void **state)
{
	(void)state;
	assert_at(4, "release", false, 9, 5, "targets", "1", NULL);
	assert_at(4, "release", false, 10, 5, "targets", "2", NULL);
	assert_at(4, "release", false, 10, 26, "targets", "2", "toolchain", NULL);
	assert_at(4, "release", true, 10, 43, "targets", "last", NULL);
}

static void test_what_is_not_there(void **state)
{
	(void)state;
	assert_at(4, "release", false, 0, 0, "nme", NULL);
	assert_at(4, "other", false, 0, 0, "name", NULL);
	/* The deepest part that is there. */
	assert_at(4, "release", false, 8, 13, "targets", "9", NULL);
	assert_at(4, "release", false, 7, 14, "name", "x", NULL);
	/* Text in comments and strings is no code. */
	assert_at(1, "release", false, 0, 0, "name", NULL);
	assert_at(2, "release", false, 0, 0, "name", NULL);
	assert_at(99, NULL, false, 0, 0, "name", NULL);
}

static void test_callee_itself(void **state)
{
	(void)state;
	assert_at(4, "release", false, 4, 8, NULL);
	assert_at(12, "fdo", false, 12, 14, NULL);
}

/* Every beginning of the text is scanned to its end and no further. */
static void test_cut_texts(void **state)
{
	const char *path[] = { "targets", "2", "toolchain", NULL };

	(void)state;
	for (size_t n = 0; n < sizeof(text); n++) {
		_cleanup_free_ char *copy = alloc_dup(text, n);
		const struct locate_query query = { .text = copy, .n = n, .line = 4, .path = path };
		size_t line, column;

		locate_field(&query, &line, &column);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_positions),
		cmocka_unit_test(test_what_is_not_there),
		cmocka_unit_test(test_callee_itself),
		cmocka_unit_test(test_cut_texts),
	};

	return cmocka_run_group_tests_name("locate", tests, NULL, NULL);
}
