/* The reference of a YAML file from its JSON schema: every member by its path, in bytewise order. */
#include <string.h>

#include "base/alloc.h"
#include "base/array.h"
#include "base/str.h"
#include "external/json.h"
#include "reference/recipe.h"

static bool is_required(const json_t *schema, const char *name)
{
	const json_t *item;
	size_t i;

	json_array_foreach (json_object_get(schema, "required"), i, item)
		if (json_is_string(item) && str_eq(json_string_value(item), name))
			return true;
	return false;
}

/* The type a member has, or the first of those it may have. */
static const char *type_name(const json_t *schema)
{
	const json_t *type = json_object_get(schema, "type");

	if (json_is_array(type))
		type = json_array_get(type, 0);
	return json_is_string(type) ? json_string_value(type) : "";
}

/* "text", "list of text", … as a reader of YAML calls it. Caller frees. */
static char *type_of(const json_t *schema)
{
	static const struct {
		const char *json, *name;
	} names[] = { { "string", "text" },
		      { "integer", "number" },
		      { "boolean", "true or false" } };
	const char *type = type_name(schema);
	const json_t *items = json_object_get(schema, "items");

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq(names[i].json, type))
			return str_dup(names[i].name);
	if (str_eq(type, "array") && items) {
		_cleanup_free_ char *of = type_of(items);

		return str_fmt("list of %s", of);
	}
	return str_dup(str_eq(type, "object") ? "members" : "any");
}

/* What a member is for, and the only texts it may hold. Caller frees. */
static char *text_of(const json_t *schema)
{
	const json_t *list = json_object_get(schema, "enum"), *item;
	_cleanup_buf_ struct buf text = BUF_INIT(1 << 16);
	size_t i;

	if (!list)
		list = json_object_get(json_object_get(schema, "items"), "enum");
	buf_add_str(&text, json_str_or(schema, "description", ""));
	json_array_foreach (list, i, item)
		buf_fmt(&text, "%s`%s`",
		        i      ? ", " :
		        text.n ? ": " :
		                 "",
		        json_is_string(item) ? json_string_value(item) : "?");
	return buf_steal(&text);
}

static void add_members(const struct paper *paper, const json_t *schema, const char *prefix,
                        struct buf *out);

/* What lies below a member: members of a fixed name, of any name, or of a list's items. */
static void add_below(const struct paper *paper, const json_t *schema, const char *path,
                      struct buf *out)
{
	const json_t *any = json_object_get(schema, "additionalProperties");
	const json_t *items = json_object_get(schema, "items");
	_cleanup_free_ char *of_any = str_fmt("%s.NAME.", path);
	_cleanup_free_ char *of_items = str_fmt("%s[].", path);
	_cleanup_free_ char *of_members = str_fmt("%s.", path);

	add_members(paper, schema, of_members, out);
	if (json_is_object(any))
		add_members(paper, any, of_any, out);
	if (json_is_object(items))
		add_members(paper, items, of_items, out);
}

static void add_members(const struct paper *paper, const json_t *schema, const char *prefix,
                        struct buf *out)
{
	json_t *members = json_object_get(schema, "properties"), *member;
	ARRAY(const char *) names = { 0 };
	const char *name;

	json_object_foreach (members, name, member)
		array_push(&names, name);
	array_sort(&names, str_cmp_ptr);
	for (size_t i = 0; i < names.n; i++) {
		_cleanup_free_ char *path = str_fmt("%s%s", prefix, names.v[i]);
		_cleanup_free_ char *type = NULL, *term = NULL, *text = NULL;

		member = json_object_get(members, names.v[i]);
		type = type_of(member);
		term = str_fmt("%s%s: %s", path, is_required(schema, names.v[i]) ? "" : "?", type);
		text = text_of(member);
		paper->item(out, term, text);
		add_below(paper, member, path, out);
	}
	array_deinit(&names);
}

int reference_schema(const struct paper *paper, const char *schema, size_t n, const char *what,
                     struct buf *out, struct err *err)
{
	_cleanup_json_ json_t *json = NULL;

	if (json_parse(schema, n, what, &json, err) < 0)
		return -1;
	add_members(paper, json, "", out);
	return 0;
}
