/* Strings: globs, nearest names, UTF-8, escapes, cutting. */
#include "base/str.h"
#include "unit/support.h"

static void globs(void **state)
{
	static const struct {
		const char *pattern, *name;
		bool matches;
	} cases[] = {
		{ "", "", true },
		{ "", "a", false },
		{ "a", "a", true },
		{ "a", "ab", false },
		{ "ab", "a", false },
		{ "*", "", true },
		{ "*", "abc", true },
		{ "*", "a/b", false },
		{ "*.c", "x.c", true },
		{ "*.c", ".c", true },
		{ "*.c", "x.cc", false },
		{ "*.c", "d/x.c", false },
		{ "a*b*c", "aXbYc", true },
		{ "a*b*c", "abbbc", true },
		{ "a*b*c", "acb", false },
		{ "*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
		{ "?", "a", true },
		{ "?", "/", false },
		{ "?", "", false },
		{ "a?c", "abc", true },
		{ "[abc]", "b", true },
		{ "[abc]", "d", false },
		{ "[a-c]x", "bx", true },
		{ "[!a-c]", "d", true },
		{ "[^a-c]", "a", false },
		{ "[!a]", "/", false },
		{ "[]]", "]", true },
		{ "[a-]", "-", true },
		{ "**", "a/b/c", true },
		{ "**", "", true },
		{ "docs/**", "docs/a/b", true },
		{ "docs/**", "docs", false },
		{ "docs/**", "docsx/a", false },
		{ "**/x.log", "x.log", true },
		{ "**/x.log", "a/b/x.log", true },
		{ "**/x.log", "a/b/yx.log", false },
		{ "**/*.log", "a/b/yx.log", true },
		{ "a/**/b", "a/b", true },
		{ "a/**/b", "a/x/y/b", true },
		{ "a/**/b", "a/xb", false },
		{ "**/b/**", "a/b/c", true },
		{ "**/b/**", "a/xb/c", false },
		{ "**/a/b", "a/x/a/b", true },
		{ "**.log", "a/b.log", true },
		{ "*/b", "a/b", true },
		{ "*/b", "a/a/b", false },
		{ "x86_64-*/p*", "x86_64-unknown-linux-gnu/plain", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (str_glob(cases[i].pattern, cases[i].name) != cases[i].matches)
			fail_msg("\"%s\" on \"%s\" is not %d", cases[i].pattern, cases[i].name,
			         cases[i].matches);
}

static void nearest_names(void **state)
{
	static const char *const names[] = { "version", "license", "source", "bolt", NULL };
	static const char *const none[] = { NULL };
	char long_word[200];

	(void)state;
	assert_string_equal(str_nearest("verison", names), "version");
	assert_string_equal(str_nearest("licence", names), "license");
	assert_string_equal(str_nearest("sources", names), "source");
	assert_string_equal(str_nearest("bot", names), "bolt");
	assert_null(str_nearest("zebra", names));
	assert_null(str_nearest("version", none));
	memset(long_word, 'v', sizeof(long_word) - 1);
	long_word[sizeof(long_word) - 1] = '\0';
	assert_null(str_nearest(long_word, names));
}

static void well_formed_text(void **state)
{
	static const char *const good[] = { "",
		                            "abc",
		                            "é",
		                            "\u20ac",
		                            "\U0001F600",
		                            "\xf4\x8f\xbf\xbf",
		                            "\xed\x9f\xbf",
		                            "\xee\x80\x80",
		                            "\x01\x7f" };
	static const char *const bad[] = { "\x80",
		                           "\xff",
		                           "\xc0\xaf",
		                           "\xc1\xbf",
		                           "\xe0\x9f\xbf",
		                           "\xed\xa0\x80",
		                           "\xf0\x8f\xbf\xbf",
		                           "\xf4\x90\x80\x80",
		                           "\xf5\x80\x80\x80",
		                           "\xe2\x82",
		                           "\xc3",
		                           "a\xc3(",
		                           "\xe2(\xa1" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(str_is_utf8(str_of(good[i])));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(str_is_utf8(str_of(bad[i])));
	assert_false(str_is_utf8((struct str){ "a\0b", 3 }));
	assert_false(str_is_utf8((struct str){ "\xe2\x82\xac", 2 }));
}

static void assert_escaped(const char *text, const char *expected)
{
	_cleanup_free_ char *escaped = str_escape(str_of(text));

	assert_string_equal(escaped, expected);
}

/* Nothing that moves a cursor or turns text around reaches a terminal. */
static void escapes_what_terminals_act_on(void **state)
{
	(void)state;
	assert_escaped("a\x7f\xc2\x80\xc2\x9b\xc2\x9f z", "a\\x7f\\xc2\\x80\\xc2\\x9b\\xc2\\x9f z");
	assert_escaped("\xe2\x80\x8e\xe2\x80\x8f", "\\xe2\\x80\\x8e\\xe2\\x80\\x8f");
	assert_escaped("\xe2\x80\xaa\xe2\x80\xae", "\\xe2\\x80\\xaa\\xe2\\x80\\xae");
	assert_escaped("\xe2\x81\xa6\xe2\x81\xa9", "\\xe2\\x81\\xa6\\xe2\\x81\\xa9");
	/* Their neighbours: a no-break space, a joiner, dashes and quotes, a function application. */
	assert_escaped("\xc2\xa0\xe2\x80\x8d\xe2\x80\x93\xe2\x80\xa9\xe2\x80\xaf\xe2\x81\xa1",
	               "\xc2\xa0\xe2\x80\x8d\xe2\x80\x93\xe2\x80\xa9\xe2\x80\xaf\xe2\x81\xa1");
}

static void escapes(void **state)
{
	char *text = str_escape((struct str){ "a\\b\n\t\x1b[1m\xff é\0", 14 });

	(void)state;
	assert_string_equal(text, "a\\\\b\\n\\t\\x1b[1m\\xff é\\x00");
	free(text);
}

/* What people read keeps its lines; what a terminal would act on does not stay. */
static void cleans(void **state)
{
	char *text = str_clean((struct str){ "a\\b\n\tc\r\x1b[1m\x9b\xff é\xe2\x80\xae", 19 });

	(void)state;
	assert_string_equal(text, "a\\b\n\tc\\x0d\\x1b[1m\\x9b\\xff é\\xe2\\x80\\xae");
	free(text);
}

static void assert_quoted(const char *word, const char *expected)
{
	_cleanup_free_ char *quoted = str_quote(word);

	assert_string_equal(quoted, expected);
}

static void quotes(void **state)
{
	(void)state;
	assert_quoted("plain-1.0/x", "plain-1.0/x");
	assert_quoted("", "''");
	assert_quoted("a b", "'a b'");
	assert_quoted("it's", "'it'\\''s'");
	assert_quoted("$HOME", "'$HOME'");
	assert_quoted("a\nb", "'a\nb'");
	assert_quoted("a\x1b[2J", "'a\\x1b[2J'");
}

static void cutting(void **state)
{
	struct str rest = str_of("a,,b"), part;

	(void)state;
	assert_true(str_cut(&rest, ',', &part));
	assert_true(str_same(part, STR("a")));
	assert_true(str_cut(&rest, ',', &part));
	assert_int_equal(part.n, 0);
	assert_true(str_cut(&rest, ',', &part));
	assert_true(str_same(part, STR("b")));
	assert_false(str_cut(&rest, ',', &part));
	rest = str_of("x,");
	assert_true(str_cut(&rest, ',', &part));
	assert_true(str_cut(&rest, ',', &part));
	assert_int_equal(part.n, 0);
	assert_false(str_cut(&rest, ',', &part));
}

static void starts_and_ends(void **state)
{
	(void)state;
	assert_true(str_starts("kiln.lua", "kiln"));
	assert_false(str_starts("ki", "kiln"));
	assert_true(str_ends("kiln.lua", ".lua"));
	assert_false(str_ends("lua", ".lua"));
	assert_true(str_ends("", ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(globs),
		cmocka_unit_test(nearest_names),
		cmocka_unit_test(well_formed_text),
		cmocka_unit_test(escapes),
		cmocka_unit_test(cleans),
		cmocka_unit_test(quotes),
		cmocka_unit_test(escapes_what_terminals_act_on),
		cmocka_unit_test(cutting),
		cmocka_unit_test(starts_and_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
