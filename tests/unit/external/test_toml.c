/* TOML: what it means as JSON, and what is refused, with its line. */
#include "unit/support.h"

#include "external/toml.h"

static void assert_means(const char *text, const char *json)
{
	_cleanup_json_ json_t *wanted = json_loads(json, JSON_ALLOW_NUL, NULL), *got = NULL;
	struct err err = ERR_INIT;

	assert_non_null(wanted);
	must(toml_read(str_of(text), "x.toml", &got, &err), &err);
	if (!json_equal(got, wanted)) {
		_cleanup_buf_ struct buf shown = BUF_INIT(1 << 16);

		json_write_canonical(got, &shown);
		fail_msg("%s\nis %s\nnot %s", text, buf_text(&shown), json);
	}
}

static void assert_refused(const char *text, size_t line, const char *part)
{
	_cleanup_free_ char *place = str_fmt("x.toml:%zu: ", line);
	struct err err = ERR_INIT;
	json_t *json = NULL;

	if (toml_read(str_of(text), "x.toml", &json, &err) != -1)
		fail_msg("taken: %s", text);
	assert_null(json);
	assert_int_equal(err.code, ERR_INPUT);
	assert_contains(err.cause, place);
	assert_contains(err.cause, part);
}

static void test_scalars(void **state)
{
	(void)state;
	assert_means("", "{}");
	assert_means("a=1\nb = -0\nc = +1_0\nd = 0xFf\ne = 0o17\nf = 0b1_1\n",
	             "{\"a\":1,\"b\":0,\"c\":10,\"d\":255,\"e\":15,\"f\":3}");
	assert_means("a = 1.5\nb = -2e3\nc = 1_0.2_5E-1\n",
	             "{\"a\":1.5,\"b\":-2000.0,\"c\":1.025}");
	assert_means("a = true # x\r\nb = false", "{\"a\":true,\"b\":false}");
	assert_means("a = inf\nb = -nan", "{\"a\":\"inf\",\"b\":\"-nan\"}");
	assert_means("\xef\xbb\xbf"
	             "a = 1",
	             "{\"a\":1}");
}

static void test_dates(void **state)
{
	static const char *const wrong[] = { "1979-02-29",
		                             "1979-13-01",
		                             "1979-1-01",
		                             "24:00:00",
		                             "07:32",
		                             "07:60:00",
		                             "07:32:00.",
		                             "1979-05-27T",
		                             "1979-05-27 07",
		                             "1900-02-29",
		                             "1979-05-27T07:32",
		                             "07:32:00Z",
		                             "2000-00-01",
		                             "1979-05-27T00:00:00+24:00",
		                             "1979-05-27T00:00:00+0100",
		                             NULL };

	(void)state;
	assert_means("a = 1979-05-27\nb = 07:32:00.25\nc = 1979-05-27t07:32:00z\n"
	             "d = 1979-05-27 07:32:00-07:00 # x\ne = 2000-02-29",
	             "{\"a\":\"1979-05-27\",\"b\":\"07:32:00.25\",\"c\":\"1979-05-27t07:32:00z\","
	             "\"d\":\"1979-05-27 07:32:00-07:00\",\"e\":\"2000-02-29\"}");
	for (size_t i = 0; wrong[i]; i++) {
		_cleanup_free_ char *text = str_fmt("\na = %s\n", wrong[i]);

		assert_refused(text, 2, "no value of TOML");
	}
}

static void test_strings(void **state)
{
	(void)state;
	assert_means("a = \"\\t\\\"\\\\\\u00e9\\U0001F600\"",
	             "{\"a\":\"\\t\\\"\\\\\\u00e9\\ud83d\\ude00\"}");
	assert_means("a = '\\n\"'", "{\"a\":\"\\\\n\\\"\"}");
	assert_means("a = \"\"\"\r\none\r\ntwo\\  \r\n\r\n  three\"\"\"\"\"",
	             "{\"a\":\"one\\ntwothree\\\"\\\"\"}");
	assert_means("a = '''\n''x'''''\nb = ''", "{\"a\":\"''x''\",\"b\":\"\"}");
	assert_means("a = \"\"\"\"\"\"", "{\"a\":\"\"}");
	assert_refused("a = \"x\nb = 1", 1, "quotation mark is missing");
	assert_refused("a = '''x\ny", 2, "quotation mark is missing");
	assert_refused("a = \"\\x41\"", 1, "no such escape");
	assert_refused("a = \"x \\\n y\"", 1, "no such escape");
	assert_refused("a = \"\\ud800\"", 1, "no such character");
	assert_refused("a = \"\\U00110000\"", 1, "no such character");
	assert_refused("a = \"\\u12\"", 1, "4 hexadecimal digits");
	assert_refused("a = \"\\u0000\"", 1, "NUL");
	assert_refused("a = \"\x01\"", 1, "control characters");
	assert_refused("a = \"\"\"x\ry\"\"\"", 1, "control characters");
	assert_refused("# \x7f", 1, "control characters");
}

static void test_numbers_refused(void **state)
{
	static const char *const wrong[] = { "01",    "1__0",  "_1",   "1_",
		                             "0x",    "0X1",   "+0x1", "1.",
		                             ".5",    "1e",    "1.e5", "0x1__2",
		                             "0b2",   "0o8",   "00.5", "True",
		                             "yes",   "+true", "--1",  "9223372036854775808",
		                             "1e999", "Inf",   "1 2",  NULL };

	(void)state;
	for (size_t i = 0; wrong[i]; i++) {
		_cleanup_free_ char *text = str_fmt("x = 1\na = %s\n", wrong[i]);

		assert_refused(text, 2, "");
	}
}

static void test_tables(void **state)
{
	(void)state;
	assert_means("[a.b.c]\nx = 1\n[a]\ny = 2\n[a.b]\nz = 3",
	             "{\"a\":{\"b\":{\"c\":{\"x\":1},\"z\":3},\"y\":2}}");
	assert_means("a.b.c = 1\na.\"b\".d = 2\n[a.b.e]\n",
	             "{\"a\":{\"b\":{\"c\":1,\"d\":2,\"e\":{}}}}");
	assert_means("[[a]]\nx = 1\n[a.b]\ny = 2\n[[ a ]]\n[a.b]\ny = 3",
	             "{\"a\":[{\"x\":1,\"b\":{\"y\":2}},{\"b\":{\"y\":3}}]}");
	assert_means("a = {b.c = 1, b.d = [ 1, # one\n 2,\n ], \"\" = {}}",
	             "{\"a\":{\"b\":{\"c\":1,\"d\":[1,2]},\"\":{}}}");
	assert_refused("a = 1\na = 2", 2, "\"a\" stands here twice");
	assert_refused("[a]\n[b]\n[a]", 3, "stands here twice");
	assert_refused("[a]\nb.c = 1\n[a.b]", 3, "stands here twice");
	assert_refused("[a.b]\n[a]\nb.c = 1", 3, "complete already");
	assert_refused("[a.b.c]\n[a]\nb.c.d = 1", 3, "complete already");
	assert_refused("a = {b = 1}\n[a.c]", 2, "written whole");
	assert_refused("a = {b = 1}\na.c = 1", 2, "written whole");
	assert_refused("a = {b = {}, b.c = 1}", 1, "written whole");
	assert_refused("a = []\n[[a]]", 2, "no array of tables");
	assert_refused("a = [{}]\n[a.b]", 2, "not a table");
	assert_refused("[[a]]\n[a]", 2, "not a table");
	assert_refused("[[a.b]]\n[a]\nb.c = 1", 3, "not a table");
	assert_refused("[a]\n[[a]]", 2, "no array of tables");
	assert_refused("a = 1\na.b = 2", 2, "not a table");
}

static void test_form_refused(void **state)
{
	(void)state;
	assert_refused("a = 1 b = 2", 1, "");
	assert_refused("a", 1, "= and a value");
	assert_refused("= 1", 1, "key is missing");
	assert_refused("a. = 1", 1, "key is missing");
	assert_refused("a =\n1", 1, "value is missing");
	assert_refused("[a\n]", 1, "should end here");
	assert_refused("[a] b = 1", 1, "the line should end here");
	assert_refused("[[a]", 1, "with ]]");
	assert_refused("[]", 1, "key is missing");
	assert_refused("a = [1 2]", 1, "comma or ]");
	assert_refused("a = [1,,2]", 1, "value is missing");
	assert_refused("a = {b = 1,}", 1, "key should follow");
	assert_refused("a = {b = 1\n}", 1, "same line");
	assert_refused("a = \"x\"y", 1, "should end here");
	assert_refused("\"\"\"a\"\"\" = 1", 1, "= and a value");
	assert_refused("a = 1\rb = 2", 1, "");
}

static void test_caps(void **state)
{
	_cleanup_buf_ struct buf deep = BUF_INIT(1 << 20), parts = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;
	json_t *json = NULL;
	_cleanup_free_ char *large = alloc(TOML_MOST + 1);

	(void)state;
	buf_add_str(&deep, "a = ");
	for (int i = 0; i < 100000; i++)
		buf_add_char(&deep, '[');
	assert_refused(buf_text(&deep), 1, "nested too deeply");
	for (int i = 0; i < 100; i++)
		buf_add_str(&parts, "a.");
	buf_add_str(&parts, "a = 1");
	assert_refused(buf_text(&parts), 1, "too many parts");
	memset(large, '\n', TOML_MOST + 1);
	assert_int_equal(toml_read((struct str){ large, TOML_MOST + 1 }, "x.toml", &json, &err),
	                 -1);
	assert_contains(err.cause, "larger than");
	err_clear(&err);
	assert_int_equal(toml_read((struct str){ "a = '\xff'", 7 }, "x.toml", &json, &err), -1);
	assert_contains(err.cause, "not valid UTF-8, or a NUL is in it");
	err_clear(&err);
	assert_int_equal(toml_read((struct str){ "a\0=1", 4 }, "x.toml", &json, &err), -1);
	assert_contains(err.cause, "not valid UTF-8, or a NUL is in it");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scalars), cmocka_unit_test(test_dates),
		cmocka_unit_test(test_strings), cmocka_unit_test(test_numbers_refused),
		cmocka_unit_test(test_tables),  cmocka_unit_test(test_form_refused),
		cmocka_unit_test(test_caps),
	};

	return cmocka_run_group_tests_name("toml", tests, NULL, NULL);
}
