/* Field tables: what fits, what is made regular, and how what does not fit is named. */
#include "unit/support.h"

#include "model/schema.h"

static const char *const colours[] = { "red", "green", NULL };

static const struct schema_field inner[] = {
	{ "at", SCHEMA_STRING, true, "where", NULL, NULL },
	{ 0 },
};

static const struct schema_field fields[] = {
	{ "name", SCHEMA_STRING, true, "its name", NULL, NULL },
	{ "colour", SCHEMA_STRING, false, "its colour", colours, NULL },
	{ "count", SCHEMA_INT, false, "how many", NULL, NULL },
	{ "flag", SCHEMA_BOOL, false, "whether", NULL, NULL },
	{ "words", SCHEMA_STRINGS, false, "texts", NULL, NULL },
	{ "codes", SCHEMA_INTS, false, "numbers", NULL, NULL },
	{ "env", SCHEMA_MAP, false, "variables", NULL, NULL },
	{ "from", SCHEMA_REF, false, "a reference", NULL, NULL },
	{ "refs", SCHEMA_REFS, false, "references", NULL, NULL },
	{ "one", SCHEMA_OBJECT, false, "an object", NULL, inner },
	{ "many", SCHEMA_OBJECTS, false, "objects", NULL, inner },
	{ "named", SCHEMA_NAMED, false, "objects by name", NULL, inner },
	{ "outputs", SCHEMA_OUTPUTS, false, "outputs", NULL, NULL },
	{ "any", SCHEMA_ANY, false, "anything", NULL, NULL },
	{ 0 },
};

static const struct schema_field more[] = {
	{ "extra", SCHEMA_STRING, false, "of the second table", NULL, NULL },
	{ 0 },
};

static const struct schema_field *const tables[] = { fields, more, NULL };

static json_t *text(const char *s)
{
	_cleanup_free_ char *json = str_dup(s);
	json_t *v;

	for (char *p = json; *p; p++)
		if (*p == '\'')
			*p = '"';
	v = json_loads(json, 0, NULL);
	assert_non_null(v);
	return v;
}

static void assert_becomes(const char *before, const char *after)
{
	_cleanup_json_ json_t *v = text(before), *wanted = text(after);
	struct schema_fault fault;

	if (schema_check(v, tables, &fault))
		fail_msg("%s: %s: %s", before, fault.pointer, fault.text);
	assert_true(json_equal(v, wanted));
}

static void assert_fault(const char *json, const char *pointer, const char *part, const char *note)
{
	_cleanup_json_ json_t *v = text(json);
	struct schema_fault fault;

	assert_int_equal(schema_check(v, tables, &fault), SCHEMA_REFUSED);
	assert_string_equal(fault.pointer, pointer);
	assert_contains(fault.text, part);
	assert_contains(fault.note, note);
}

static void test_fits(void **state)
{
	(void)state;
	assert_becomes("{'name':'x'}", "{'name':'x'}");
	assert_becomes("{'name':'x','colour':'red','count':0,'flag':true,'words':['a'],'codes':[1],"
	               "'env':{'A':'b'},'extra':'y','any':[1,{'z':null}]}",
	               "{'name':'x','colour':'red','count':0,'flag':true,'words':['a'],'codes':[1],"
	               "'env':{'A':'b'},'extra':'y','any':[1,{'z':null}]}");
	assert_becomes(
		"{'name':'x','from':{'$leaf':'s','path':''},'refs':[{'$stage':'a/b/c',"
		"'path':'x'}],'outputs':['a',{'path':'b','exclude':['c'],'non_empty':true}]}",
		"{'name':'x','from':{'$leaf':'s','path':''},'refs':[{'$stage':'a/b/c',"
		"'path':'x'}],'outputs':['a',{'path':'b','exclude':['c'],'non_empty':true}]}");
}

static void test_made_regular(void **state)
{
	(void)state;
	assert_becomes("{'name':'x','words':['a',7],'env':{'N':3},'count':null}",
	               "{'name':'x','words':['a','7'],'env':{'N':'3'}}");
	assert_becomes("{'name':'x','env':[],'named':[],'many':[]}",
	               "{'name':'x','env':{},'named':{},'many':[]}");
}

static void test_faults(void **state)
{
	(void)state;
	assert_fault("{'name':'x','colur':'red'}", "/colur", "unknown field \"colur\"",
	             "did you mean \"colour\"?");
	assert_fault("{'name':'x','extr':'y'}", "/extr", "unknown field", "\"extra\"");
	assert_fault("[]", "", "expected a table of named fields, got", "");
	assert_fault("{}", "", "the field \"name\" is missing", "its name");
	assert_fault("{'name':1}", "/name", "expected text, got a number", "");
	assert_fault("{'name':'x','colour':'gren'}", "/colour", "none of: red, green", "\"green\"");
	assert_fault("{'name':'x','colour':'mauve'}", "/colour", "none of", "red, green");
	assert_fault("{'name':'x','count':-1}", "/count", "0 or more", "");
	assert_fault("{'name':'x','words':['a',true]}", "/words/1", "expected text, got true", "");
	assert_fault("{'name':'x','codes':['a']}", "/codes/0", "whole number", "");
	assert_fault("{'name':'x','env':{'A/B':[]}}", "/env/A~1B", "expected text", "");
	assert_fault("{'name':'x','env':['a']}", "/env", "table of texts", "");
	assert_fault("{'name':'x','from':{'$leaf':'s'}}", "/from", "output of a stage", "");
	assert_fault("{'name':'x','from':{'$leaf':'s','$stage':'t','path':''}}", "/from", "output",
	             "");
	assert_fault("{'name':'x','many':[{'at':'a'},{'to':'b'}]}", "/many/1/to", "unknown field",
	             "");
	assert_fault("{'name':'x','named':{'k':{}}}", "/named/k", "\"at\" is missing", "where");
	assert_fault("{'name':'x','one':'text'}", "/one", "table of named fields", "");
	assert_fault("{'name':'x','outputs':['/a']}", "/outputs/0", "is absolute", "");
	assert_fault("{'name':'x','outputs':[{'path':'a','non_emty':true}]}", "/outputs/0/non_emty",
	             "unknown field", "non_empty");
}

static void test_long_names_do_not_overflow(void **state)
{
	char key[2000];
	_cleanup_json_ json_t *v = json_pack("{s:s}", "name", "x");
	struct schema_fault fault;

	(void)state;
	memset(key, '/', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	json_object_set_new(v, key, json_true());
	assert_int_equal(schema_check(v, tables, &fault), SCHEMA_REFUSED);
	assert_true(strlen(fault.pointer) < sizeof(fault.pointer));
}

static void test_json_schema(void **state)
{
	_cleanup_json_ json_t *schema = schema_to_json_schema(fields, "Things");
	json_t *properties = json_object_get(schema, "properties");

	(void)state;
	assert_string_equal(json_str_or(schema, "title", ""), "Things");
	assert_int_equal(json_object_size(properties), 14);
	assert_true(json_is_false(json_object_get(schema, "additionalProperties")));
	assert_string_equal(json_str_or(json_object_get(properties, "name"), "description", ""),
	                    "its name");
	assert_int_equal(
		json_array_size(json_object_get(json_object_get(properties, "colour"), "enum")), 2);
	/* What the checker takes as text, the schema allows. */
	assert_int_equal(
		json_array_size(json_object_get(
			json_object_get(json_object_get(properties, "words"), "items"), "type")),
		2);
}

/* A number in a list of texts becomes text, and is then judged like one. */
static void test_numbers_among_words(void **state)
{
	static const char *const levels[] = { "1", "2", NULL };
	static const struct schema_field chosen[] = {
		{ "levels", SCHEMA_STRINGS, false, "levels", levels, NULL },
		{ 0 },
	};
	static const struct schema_field *const chosen_tables[] = { chosen, NULL };
	_cleanup_json_ json_t *fits = text("{'levels':['1',2]}"), *not = text("{'levels':['1',3]}");
	struct schema_fault fault;

	(void)state;
	assert_int_equal(schema_check(fits, chosen_tables, &fault), 0);
	assert_int_equal(schema_check(not, chosen_tables, &fault), SCHEMA_REFUSED);
	assert_string_equal(fault.pointer, "/levels/1");
	assert_contains(fault.text, "\"3\" is none of");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fits),
		cmocka_unit_test(test_made_regular),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_long_names_do_not_overflow),
		cmocka_unit_test(test_numbers_among_words),
		cmocka_unit_test(test_json_schema),
	};

	return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
