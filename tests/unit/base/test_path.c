/* Paths as text: what may name something in a tree, joining, and links that leave. */
#include "base/path.h"
#include "unit/support.h"

static void tree_paths(void **state)
{
	static const char *const good[] = { "", "a", "a/b", "..a", "a..", ".hidden", "a b/ü" };
	static const struct {
		const char *path, *fault;
	} bad[] = {
		{ "/", "absolute" },      { "/a", "absolute" },      { "a/", "empty part" },
		{ "a//b", "empty part" }, { ".", "'.' part" },       { "a/./b", "'.' part" },
		{ "..", "'..' part" },    { "a/../b", "'..' part" },
	};
	char part[300], path[4200];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_true(path_is_tree(good[i]));
		assert_null(path_tree_fault(good[i]));
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_false(path_is_tree(bad[i].path));
		assert_contains(path_tree_fault(bad[i].path), bad[i].fault);
	}
	memset(part, 'x', sizeof(part));
	part[255] = '\0';
	assert_true(path_is_tree(part));
	part[255] = 'x';
	part[256] = '\0';
	assert_contains(path_tree_fault(part), "255");
	for (size_t i = 0; i < sizeof(path); i++)
		path[i] = i % 2 ? '/' : 'x';
	path[4199] = '\0';
	assert_contains(path_tree_fault(path), "4000");
}

static void assert_text(char *text, const char *expected)
{
	assert_string_equal(text, expected);
	free(text);
}

static void joining_and_splitting(void **state)
{
	(void)state;
	assert_text(path_join("a", "b"), "a/b");
	assert_text(path_join("a/", "b"), "a/b");
	assert_text(path_join("", "b"), "b");
	assert_text(path_join("a", ""), "a");
	assert_text(path_join("a", "/b"), "/b");
	assert_text(path_join("/", "b"), "/b");
	assert_string_equal(path_base("a/b/c"), "c");
	assert_string_equal(path_base("c"), "c");
	assert_string_equal(path_base("c/"), "");
	assert_text(path_dir("a/b/c"), "a/b");
	assert_text(path_dir("c"), ".");
	assert_text(path_dir("/c"), "/");
}

static void being_below(void **state)
{
	(void)state;
	assert_true(path_is_below("a/b", "a"));
	assert_true(path_is_below("a", "a"));
	assert_true(path_is_below("a", ""));
	assert_true(path_is_below("", ""));
	assert_false(path_is_below("ab", "a"));
	assert_false(path_is_below("a", "a/b"));
	assert_false(path_is_below("", "a"));
}

static void links_that_leave(void **state)
{
	static const struct {
		const char *at, *target;
		bool leaves;
	} cases[] = {
		{ "a", "b", false },           { "a", "/etc", true },
		{ "a", "..", true },           { "a", "../a", true },
		{ "d/a", "..", false },        { "d/a", "../x", false },
		{ "d/a", "../../x", true },    { "d/a", ".././../x", true },
		{ "d/e/a", "../../x", false }, { "a", "x/../..", true },
		{ "a", "x/..", false },        { "a", "x/../../x", true },
		{ "a", "./x//y", false },      { "a", "...", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (path_link_leaves(cases[i].at, cases[i].target) != cases[i].leaves)
			fail_msg("%s -> %s is not %d", cases[i].at, cases[i].target,
			         cases[i].leaves);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tree_paths),
		cmocka_unit_test(joining_and_splitting),
		cmocka_unit_test(being_below),
		cmocka_unit_test(links_that_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
