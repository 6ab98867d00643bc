/* Makefiles as make on Linux reads them: conditionals, and the functions that ask for the system. */
#include "survey/makefile.h"
#include "unit/support.h"

static int setup(void **state)
{
	*state = arena_new();
	return 0;
}

static int teardown(void **state)
{
	arena_free(*state);
	return 0;
}

/* The variable X of a Makefile, filled in; "-" where it is not set, "?" where it is not known. */
static const char *x_of(struct arena *arena, const char *text)
{
	struct makefile m;
	const char *value = "-";

	makefile_read(arena, text, &m);
	if (makefile_variable(&m, "X"))
		value = makefile_expand(&m, makefile_variable(&m, "X"), NULL);
	if (!makefile_is_known(value))
		value = "?";
	makefile_deinit(&m);
	return value;
}

#define assert_x(text, value) assert_string_equal(x_of(*state, text), value)

static void branches_that_linux_takes(void **state)
{
	assert_x("ifneq (,$(filter Windows%,$(OS)))\nX = .exe\nelse\nX = none\nendif", "none");
	assert_x(
		"UNAME := $(shell uname)\nifeq ($(UNAME), Darwin)\n  X = a\nelse ifeq ($(UNAME),Linux)\n"
		"  X = b\nelse\n  X = c\nendif",
		"b");
	assert_x(
		"U = $(shell uname -s 2>/dev/null || echo not)\nifneq ($(U),Linux)\nX=no\nendif\nX = yes",
		"yes");
	assert_x("ifeq ($(findstring MINGW,$(shell uname -s)),MINGW)\nX = a\nendif\nX = b", "b");
	assert_x("ifeq \"$(strip  a  b )\" 'a b'\nX = a\nelse\nX = b\nendif", "a");
	assert_x("ifeq ($(filter-out a%, ab ba),ba)\nX = a\nendif\nX = b", "a");
}

static void what_is_set(void **state)
{
	assert_x("ifdef DEBUG\nX = a\nelse\nX = b\nendif", "b");
	assert_x("DEBUG = 1\nifdef DEBUG\nX = a\nelse\nX = b\nendif", "a");
	assert_x("EMPTY =\nifndef EMPTY\nX = a\nendif\nX = b", "a");
	assert_x("ifeq ($(V),1)\nX = a\nendif\nX += b", "b");
}

static void branches_within_branches(void **state)
{
	assert_x("ifdef A\nifndef B\nX = a\nelse\nX = b\nendif\nX = c\nendif\nX = d", "d");
	assert_x("ifndef A\nifdef B\nX = a\nelse\nX = b\nendif\nelse\nX = c\nendif", "b");
	/* An end too many, or none, ends nothing else. */
	assert_x("endif\nelse\nX = a", "a");
	assert_x("ifndef A\nX = a", "a");
}

/* Where it hangs on what is not evaluated both branches are there: the first value counts, as ever. */
static void what_is_not_known_takes_both(void **state)
{
	assert_x("ifeq ($(shell date),x)\nX = a\nelse\nX = b\nendif", "a");
	assert_x("ifeq ($(word 1,$(MAKE)),x)\nendif\nX = $(wildcard *)", "?");
	assert_x("ifeq broken\nX = a\nendif", "a");
	assert_x("ifeq (a\nX = a\nendif", "a");
	assert_x("X = $(filter a)", "?");
	assert_x("X = $(shell cat x)", "?");
}

static void names_that_only_begin_like_a_directive(void **state)
{
	assert_x("endiff = 1\nelsewhere = 2\nifdefine = 3\nX = $(endiff)$(elsewhere)$(ifdefine)",
	         "123");
}

static void rules_in_a_branch_that_is_not_taken(void **state)
{
	struct makefile m;

	makefile_read(
		*state,
		"all: tool\nifdef WINDOWS\ntool.exe:\n\techo a\nelse\ntool:\n\techo b\nifdef V\n"
		"\techo loud\nendif\nendif\n",
		&m);
	assert_false(makefile_has_target(&m, "tool.exe"));
	assert_true(makefile_has_target(&m, "tool"));
	assert_int_equal(m.rules.n, 2);
	assert_int_equal(m.rules.v[1].recipe.n, 1);
	makefile_deinit(&m);
}

/* What calls itself, or goes too deep, ends. */
static void depths(void **state)
{
	_cleanup_buf_ struct buf text = BUF_INIT(1 << 20);

	assert_x("X = $(filter %,$(X))", "?");
	buf_add_str(&text, "X = ");
	for (int i = 0; i < 1000; i++)
		buf_add_str(&text, "$(strip ");
	for (int i = 0; i < 1000; i++)
		buf_add_char(&text, ')');
	assert_x(buf_text(&text), "?");
	buf_clear(&text);
	for (int i = 0; i < 100; i++)
		buf_add_str(&text, "ifndef A\n");
	buf_add_str(&text, "X = a\n");
	for (int i = 0; i < 100; i++)
		buf_add_str(&text, "endif\n");
	assert_x(buf_text(&text), "a");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(branches_that_linux_takes),
		TEST(what_is_set),
		TEST(branches_within_branches),
		TEST(what_is_not_known_takes_both),
		TEST(names_that_only_begin_like_a_directive),
		TEST(rules_in_a_branch_that_is_not_taken),
		TEST(depths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
