/*
 * One checker for everything that people write as objects: stage options from Lua, toolchains and
 * containers from YAML. It knows no files: a fault carries a JSON pointer, and the reader of the
 * text turns that into a line with a caret.
 */
#include "model/schema.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/array.h"
#include "base/path.h"
#include "base/str.h"

struct checker {
	struct schema_fault *fault;
	char pointer[SCHEMA_POINTER_SIZE];
};

static int check_fields(struct checker *c, json_t *object,
                        const struct schema_field *const *tables);

static int refuse(struct checker *c, bool at_key, const char *note, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
static int refuse(struct checker *c, bool at_key, const char *note, const char *fmt, ...)
{
	struct schema_fault *fault = c->fault;
	va_list ap;

	memcpy(fault->pointer, c->pointer, sizeof(fault->pointer));
	fault->at_key = at_key;
	va_start(ap, fmt);
	vsnprintf(fault->text, sizeof(fault->text), fmt, ap);
	va_end(ap);
	snprintf(fault->note, sizeof(fault->note), "%s", note ? note : "");
	return SCHEMA_REFUSED;
}

/* Descends to a member; the length before is given back to pointer_back. */
static size_t pointer_down(struct checker *c, const char *key)
{
	size_t before = strlen(c->pointer), n = before;

	if (n + 1 < sizeof(c->pointer))
		c->pointer[n++] = '/';
	for (; *key && n + 2 < sizeof(c->pointer); key++) {
		if (*key == '~' || *key == '/') {
			c->pointer[n++] = '~';
			c->pointer[n++] = *key == '~' ? '0' : '1';
		} else {
			c->pointer[n++] = *key;
		}
	}
	c->pointer[n] = '\0';
	return before;
}

static size_t pointer_down_index(struct checker *c, size_t i)
{
	char text[24];

	snprintf(text, sizeof(text), "%zu", i);
	return pointer_down(c, text);
}

static void pointer_back(struct checker *c, size_t before)
{
	c->pointer[before] = '\0';
}

const struct schema_field *schema_find(const struct schema_field *const *tables, const char *name)
{
	for (; *tables; tables++)
		for (const struct schema_field *f = *tables; f->name; f++)
			if (str_eq(f->name, name))
				return f;
	return NULL;
}

const char *schema_nearest(const struct schema_field *const *tables, const char *word)
{
	ARRAY(const char *) names = { 0 };
	const char *near;

	for (; *tables; tables++)
		for (const struct schema_field *f = *tables; f->name; f++)
			array_push(&names, f->name);
	array_push(&names, NULL);
	near = str_nearest(word, names.v);
	array_deinit(&names);
	return near;
}

static const char *kind_of(const json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return "a table of named members";
	case JSON_ARRAY:
		return json_array_size(v) ? "a list" : "an empty list";
	case JSON_STRING:
		return "text";
	case JSON_INTEGER:
		return "a number";
	case JSON_REAL:
		return "a number with a fraction";
	case JSON_TRUE:
		return "true";
	case JSON_FALSE:
		return "false";
	case JSON_NULL:
		break;
	}
	return "nothing";
}

static int expected(struct checker *c, const char *name, const char *what, const json_t *v)
{
	if (json_is_string(v))
		return refuse(c, false, NULL, "%s: expected %s, got \"%.80s\"", name, what,
		              json_string_value(v));
	return refuse(c, false, NULL, "%s: expected %s, got %s", name, what, kind_of(v));
}

static void list_values(const char *const *values, char *out, size_t size)
{
	size_t n = 0;

	out[0] = '\0';
	for (; *values && n < size; values++)
		n += (size_t)snprintf(out + n, size - n, "%s%s", n ? ", " : "", *values);
}

static int check_string(struct checker *c, const struct schema_field *f, const json_t *v)
{
	char all[256], note[300];
	const char *near;

	if (!json_is_string(v))
		return expected(c, f->name, "text", v);
	if (!f->values)
		return 0;
	for (const char *const *value = f->values; *value; value++)
		if (str_eq(*value, json_string_value(v)))
			return 0;
	list_values(f->values, all, sizeof(all));
	near = str_nearest(json_string_value(v), f->values);
	snprintf(note, sizeof(note), near ? "did you mean \"%s\"?" : "one of: %s",
	         near ? near : all);
	return refuse(c, false, note, "%s: \"%.80s\" is none of: %s", f->name, json_string_value(v),
	              all);
}

/* A new reference to the text of a number, NULL for anything else. */
static json_t *number_text(const json_t *v)
{
	char text[32];

	if (!json_is_integer(v))
		return NULL;
	snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(v));
	return json_string(text);
}

static int check_strings(struct checker *c, const struct schema_field *f, json_t *list)
{
	size_t i;
	json_t *v;

	if (!json_is_array(list))
		return expected(c, f->name, "a list of texts", list);
	json_array_foreach (list, i, v) {
		json_t *text = number_text(v);
		size_t before = pointer_down_index(c, i);
		int rc = 0;

		if (text) {
			json_array_set_new(list, i, text);
			v = text;
		}
		rc = check_string(c, f, v);
		if (rc)
			return rc;
		pointer_back(c, before);
	}
	return 0;
}

static int check_map(struct checker *c, const struct schema_field *f, json_t *map)
{
	const char *key;
	void *next;
	json_t *v;

	if (!json_is_object(map))
		return expected(c, f->name, "a table of texts by name", map);
	json_object_foreach_safe(map, next, key, v)
	{
		json_t *text = number_text(v);

		if (text) {
			json_object_set_new(map, key, text);
		} else if (!json_is_string(v)) {
			pointer_down(c, key);
			return expected(c, key, "text", v);
		}
	}
	return 0;
}

static bool is_ref(const json_t *v)
{
	bool stage = json_is_string(json_object_get(v, "$stage"));
	bool leaf = json_is_string(json_object_get(v, "$leaf"));

	return stage != leaf && json_is_string(json_object_get(v, "path")) &&
	       json_object_size(v) == 2;
}

static int check_ref(struct checker *c, const struct schema_field *f, const json_t *v)
{
	if (is_ref(v))
		return 0;
	return expected(c, f->name, "an output of a stage or a source", v);
}

static int check_output(struct checker *c, const struct schema_field *f, json_t *v)
{
	static const struct schema_field fields[] = {
		{ "path", SCHEMA_STRING, true, "tree path", NULL, NULL },
		{ "exclude", SCHEMA_STRINGS, false, "tree paths below it that are left out", NULL,
		  NULL },
		{ "non_empty", SCHEMA_BOOL, false, "an empty one fails the stage", NULL, NULL },
		{ 0 },
	};
	const struct schema_field *const tables[] = { fields, NULL };
	const char *path, *why;
	int rc;

	if (json_is_object(v)) {
		rc = check_fields(c, v, tables);
		if (rc)
			return rc;
		path = json_string_value(json_object_get(v, "path"));
	} else if (json_is_string(v)) {
		path = json_string_value(v);
	} else {
		return expected(c, f->name, "a path, or a table with one", v);
	}
	why = path_tree_fault(path);
	if (why)
		return refuse(c, false, NULL, "%s: the path \"%.80s\" %s", f->name, path, why);
	return 0;
}

static int check_one(struct checker *c, const struct schema_field *f, json_t *v)
{
	const struct schema_field *const tables[] = { f->fields, NULL };

	switch (f->type) {
	case SCHEMA_INTS:
		return json_is_integer(v) ? 0 : expected(c, f->name, "a whole number", v);
	case SCHEMA_REFS:
		return check_ref(c, f, v);
	case SCHEMA_OUTPUTS:
		return check_output(c, f, v);
	default:
		if (!json_is_object(v))
			return expected(c, f->name, "a table of named fields", v);
		return check_fields(c, v, tables);
	}
}

static int check_list(struct checker *c, const struct schema_field *f, json_t *list)
{
	size_t i;
	json_t *v;

	if (!json_is_array(list))
		return expected(c, f->name, "a list", list);
	json_array_foreach (list, i, v) {
		size_t before = pointer_down_index(c, i);
		int rc = check_one(c, f, v);

		if (rc)
			return rc;
		pointer_back(c, before);
	}
	return 0;
}

static int check_named(struct checker *c, const struct schema_field *f, json_t *object)
{
	const char *key;
	json_t *v;

	if (!json_is_object(object))
		return expected(c, f->name, "a table of named members", object);
	json_object_foreach (object, key, v) {
		size_t before = pointer_down(c, key);
		int rc = check_one(c, f, v);

		if (rc)
			return rc;
		pointer_back(c, before);
	}
	return 0;
}

static int check_value(struct checker *c, const struct schema_field *f, json_t *v)
{
	switch (f->type) {
	case SCHEMA_STRING:
		return check_string(c, f, v);
	case SCHEMA_INT:
		return json_is_integer(v) && json_integer_value(v) >= 0 ?
		               0 :
		               expected(c, f->name, "a whole number, 0 or more", v);
	case SCHEMA_BOOL:
		return json_is_boolean(v) ? 0 : expected(c, f->name, "true or false", v);
	case SCHEMA_STRINGS:
		return check_strings(c, f, v);
	case SCHEMA_MAP:
		return check_map(c, f, v);
	case SCHEMA_REF:
		return check_ref(c, f, v);
	case SCHEMA_OBJECT:
		return check_one(c, f, v);
	case SCHEMA_NAMED:
		return check_named(c, f, v);
	case SCHEMA_INTS:
	case SCHEMA_REFS:
	case SCHEMA_OBJECTS:
	case SCHEMA_OUTPUTS:
		return check_list(c, f, v);
	case SCHEMA_ANY:
		break;
	}
	return 0;
}

static bool wants_object(enum schema_type type)
{
	return type == SCHEMA_MAP || type == SCHEMA_OBJECT || type == SCHEMA_NAMED;
}

static int check_member(struct checker *c, json_t *object, const char *key, json_t *v,
                        const struct schema_field *const *tables)
{
	const struct schema_field *f = schema_find(tables, key);
	size_t before = pointer_down(c, key);
	int rc;

	if (!f) {
		const char *near = schema_nearest(tables, key);
		char note[128] = "";

		if (near)
			snprintf(note, sizeof(note), "did you mean \"%s\"?", near);
		return refuse(c, true, note, "unknown field \"%.80s\"", key);
	}
	if (wants_object(f->type) && json_is_array(v) && json_array_size(v) == 0) {
		v = json_object();
		json_object_set_new(object, key, v);
	}
	rc = check_value(c, f, v);
	if (rc == 0)
		pointer_back(c, before);
	return rc;
}

static int check_fields(struct checker *c, json_t *object, const struct schema_field *const *tables)
{
	const char *key;
	void *next;
	json_t *v;

	json_object_foreach_safe(object, next, key, v)
	{
		int rc;

		if (json_is_null(v)) {
			json_object_del(object, key);
			continue;
		}
		rc = check_member(c, object, key, v, tables);
		if (rc)
			return rc;
	}
	for (; *tables; tables++)
		for (const struct schema_field *f = *tables; f->name; f++)
			if (f->required && !json_object_get(object, f->name))
				return refuse(c, true, f->doc, "the field \"%s\" is missing",
				              f->name);
	return 0;
}

int schema_check(json_t *object, const struct schema_field *const *tables,
                 struct schema_fault *ret_fault)
{
	struct checker c = { .fault = ret_fault };

	if (!json_is_object(object))
		return refuse(&c, false, NULL, "expected a table of named fields, got %s",
		              kind_of(object));
	return check_fields(&c, object, tables);
}

static json_t *object_schema(const struct schema_field *fields);

static json_t *list_of(json_t *items)
{
	return json_pack("{s:s,s:o}", "type", "array", "items", items);
}

static json_t *string_schema(const struct schema_field *f)
{
	json_t *s = json_pack("{s:s}", "type", "string");
	json_t *values;

	if (!f->values)
		return s;
	values = json_array();
	for (const char *const *v = f->values; *v; v++)
		json_array_append_new(values, json_string(*v));
	json_object_set_new(s, "enum", values);
	return s;
}

/* Text, or a number that is taken as its text. */
static json_t *word_schema(void)
{
	return json_pack("{s:[s,s]}", "type", "string", "integer");
}

static json_t *field_schema(const struct schema_field *f)
{
	switch (f->type) {
	case SCHEMA_STRING:
		return string_schema(f);
	case SCHEMA_INT:
		return json_pack("{s:s,s:i}", "type", "integer", "minimum", 0);
	case SCHEMA_BOOL:
		return json_pack("{s:s}", "type", "boolean");
	case SCHEMA_STRINGS:
		return list_of(f->values ? string_schema(f) : word_schema());
	case SCHEMA_INTS:
		return list_of(json_pack("{s:s}", "type", "integer"));
	case SCHEMA_MAP:
		return json_pack("{s:s,s:o}", "type", "object", "additionalProperties",
		                 word_schema());
	case SCHEMA_OBJECT:
		return object_schema(f->fields);
	case SCHEMA_OBJECTS:
		return list_of(object_schema(f->fields));
	case SCHEMA_NAMED:
		return json_pack("{s:s,s:o}", "type", "object", "additionalProperties",
		                 object_schema(f->fields));
	case SCHEMA_REF:
	case SCHEMA_REFS:
	case SCHEMA_OUTPUTS:
	case SCHEMA_ANY:
		break;
	}
	return json_object();
}

static json_t *object_schema(const struct schema_field *fields)
{
	json_t *properties = json_object(), *required = json_array();

	for (const struct schema_field *f = fields; f->name; f++) {
		json_t *s = field_schema(f);

		json_object_set_new(s, "description", json_string(f->doc));
		json_object_set_new(properties, f->name, s);
		if (f->required)
			json_array_append_new(required, json_string(f->name));
	}
	return json_pack("{s:s,s:o,s:o,s:b}", "type", "object", "properties", properties,
	                 "required", required, "additionalProperties", 0);
}

json_t *schema_to_json_schema(const struct schema_field *fields, const char *title)
{
	json_t *schema = object_schema(fields);

	json_object_set_new(schema, "$schema",
	                    json_string("https://json-schema.org/draft/2020-12/schema"));
	json_object_set_new(schema, "title", json_string(title));
	return schema;
}
