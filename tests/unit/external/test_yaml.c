/* Strict YAML: what it means as JSON, where its parts stand, and what is refused. */
#include "unit/support.h"

#include "external/yaml.h"

static struct yaml_doc *parse(const char *text)
{
	struct yaml_doc *yaml = NULL;
	struct err err = ERR_INIT;

	must(yaml_doc_parse(text, strlen(text), "x.yaml", &yaml, &err), &err);
	return yaml;
}

static void assert_means(const char *text, const char *json)
{
	_cleanup_yaml_ struct yaml_doc *yaml = parse(text);
	_cleanup_json_ json_t *wanted = json_loads(json, JSON_DECODE_ANY, NULL);

	assert_non_null(wanted);
	assert_true(json_equal(yaml_doc_json(yaml), wanted));
}

static void assert_refused_n(const char *text, size_t n, const char *part)
{
	struct yaml_doc *yaml = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(yaml_doc_parse(text, n, "x.yaml", &yaml, &err), -1);
	assert_null(yaml);
	assert_int_equal(err.code, ERR_INPUT);
	assert_contains(err.cause, part);
	assert_contains(err.cause, "x.yaml:");
}

static void assert_refused(const char *text, const char *part)
{
	assert_refused_n(text, strlen(text), part);
}

static void test_scalars(void **state)
{
	(void)state;
	assert_means("a: 1\nb: -7\nc: true\nd: false\ne: null\nf: ~\ng:\n",
	             "{\"a\":1,\"b\":-7,\"c\":true,\"d\":false,\"e\":null,\"f\":null,\"g\":null}");
	assert_means(
		"a: '1'\nb: \"true\"\nc: llvm-19\nd: 19.1.7-1+b1\ne: ''\n",
		"{\"a\":\"1\",\"b\":\"true\",\"c\":\"llvm-19\",\"d\":\"19.1.7-1+b1\",\"e\":\"\"}");
	assert_means("[a, {b: []}, {}]", "[\"a\",{\"b\":[]},{}]");
	assert_means("x: |\n  one\n  two\n", "{\"x\":\"one\\ntwo\\n\"}");
}

static void test_what_readers_disagree_about(void **state)
{
	static const char *const words[] = { "1.10", "0644", "yes",   "No",         "on",
		                             "0x1f", "1e3",  "1_000", "2026-01-02", "12:30",
		                             "+1",   ".inf", NULL };

	(void)state;
	for (size_t i = 0; words[i]; i++) {
		_cleanup_free_ char *plain = str_fmt("version: %s\n", words[i]);
		_cleanup_free_ char *quoted = str_fmt("version: '%s'\n", words[i]);
		_cleanup_yaml_ struct yaml_doc *yaml = parse(quoted);

		assert_refused(plain, "disagree");
		assert_string_equal(json_str_or(yaml_doc_json(yaml), "version", ""), words[i]);
	}
	assert_refused("a: 1234567890123456789\n", "too large");
}

static void test_refused(void **state)
{
	(void)state;
	assert_refused("a: 1\nb: 2\na: 3\n", "x.yaml:3: \"a\" stands here twice (first in line 1)");
	assert_refused("a: &x 1\nb: *x\n", "anchors");
	assert_refused("a: *x\n", "aliases");
	assert_refused("a: !!str 1\n", "tags");
	assert_refused("? [a]\n: 1\n", "plain text");
	assert_refused("a: 1\n---\nb: 2\n", "more than one document");
	assert_refused("", "empty");
	assert_refused("a: [1, 2\n", "not valid YAML");
	assert_refused("a: \"\\0\"\n", "NUL");
	assert_refused("a: 'x", "not valid YAML");
	assert_refused("\ta: 1\n", "not valid YAML");
	assert_refused("a: \xff\n", "not valid YAML");
}

static void test_caps(void **state)
{
	_cleanup_buf_ struct buf deep = BUF_INIT(1 << 22);

	(void)state;
	for (int i = 0; i < 100; i++)
		buf_add_char(&deep, '[');
	assert_refused(buf_text(&deep), "too deeply");
	buf_clear(&deep);
	buf_add_str(&deep, "a: '");
	for (int i = 0; i < (1 << 20); i++)
		buf_add_char(&deep, 'x');
	buf_add_str(&deep, "'\n");
	assert_refused_n(buf_text(&deep), deep.n, "larger");
}

static void test_places(void **state)
{
	_cleanup_yaml_ struct yaml_doc *yaml =
		parse("a: 1\nlist:\n  - x\n  - {\"b/c\": é, d: 2}\n");
	struct yaml_place place;

	(void)state;
	assert_true(yaml_doc_where(yaml, "", false, &place));
	assert_int_equal(place.line, 1);
	assert_true(yaml_doc_where(yaml, "/list", true, &place));
	assert_int_equal(place.line, 2);
	assert_int_equal(place.column, 1);
	assert_true(yaml_doc_where(yaml, "/list/1/b~1c", true, &place));
	assert_int_equal(place.line, 4);
	assert_int_equal(place.column, 6);
	assert_true(yaml_doc_where(yaml, "/list/1/d", false, &place));
	assert_int_equal(place.column, 19);
	assert_false(yaml_doc_where(yaml, "/list/2", false, &place));
}

static void test_refuse_shows_the_line(void **state)
{
	_cleanup_yaml_ struct yaml_doc *yaml = parse("a: 1\nlist:\n  - x\n  - y\n");
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(yaml_doc_refuse(yaml, "/list/1", false, "a note", &err, "no %s", "y"), -1);
	assert_string_equal(err.cause, "x.yaml:4: no y\n    4 |   - y\n      |     ^ a note");
	err_clear(&err);
	yaml_doc_refuse(yaml, "/list/7/z", false, NULL, &err, "missing");
	assert_string_equal(err.cause, "x.yaml:2: missing\n    2 | list:\n      | ^");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scalars), cmocka_unit_test(test_what_readers_disagree_about),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_caps),
		cmocka_unit_test(test_places),  cmocka_unit_test(test_refuse_shows_the_line),
	};

	return cmocka_run_group_tests_name("yaml", tests, NULL, NULL);
}
