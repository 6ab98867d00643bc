/* Strict JSON: what jansson accepts with duplicates rejected, and canonical bytes out. */
#include "external/json.h"

#include "base/alloc.h"
#include "host/fs.h"

void json_cleanup(json_t **json)
{
	json_decref(*json);
	*json = NULL;
}

int json_parse(const char *text, size_t n, const char *what, json_t **ret, struct err *err)
{
	json_error_t fault;
	json_t *json = json_loadb(text, n, JSON_REJECT_DUPLICATES, &fault);

	if (!json)
		return err_set(err, ERR_INPUT, "%s:%d:%d: not valid JSON: %s", what, fault.line,
		               fault.column, fault.text);
	*ret = json;
	return 0;
}

int json_read_file(int dirfd, const char *path, json_t **ret, struct err *err)
{
	_cleanup_buf_ struct buf buf = BUF_INIT(JSON_FILE_MOST);
	int rc = fs_read(dirfd, path, &buf, err);

	return rc ? rc : json_parse(buf_text(&buf), buf.n, path, ret, err);
}

int json_write_file(int dirfd, const char *path, const json_t *json, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(JSON_FILE_MOST);

	json_write_pretty(json, &text);
	if (text.overflow)
		return err_set(err, ERR_INPUT, "%s would be larger than %d MiB", path,
		               JSON_FILE_MOST >> 20);
	return fs_write_file(dirfd, path, buf_text(&text), text.n, 0644, true, err);
}

static int add_to_buf(const char *p, size_t n, void *data)
{
	buf_add(data, p, n);
	return 0;
}

void json_write_canonical(const json_t *json, struct buf *buf)
{
	bug_on(json_dump_callback(json, add_to_buf, buf,
	                          JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY) != 0);
}

void json_write_pretty(const json_t *json, struct buf *buf)
{
	bug_on(json_dump_callback(json, add_to_buf, buf,
	                          JSON_SORT_KEYS | JSON_INDENT(2) | JSON_ENCODE_ANY) != 0);
	buf_add_char(buf, '\n');
}

static int fault(const char *what, const char *key, const char *expected, const json_t *value,
                 struct err *err)
{
	if (!value)
		return err_set(err, ERR_INPUT, "%s: member \"%s\" is missing (expected %s)", what,
		               key, expected);
	return err_set(err, ERR_INPUT, "%s: member \"%s\" is not %s", what, key, expected);
}

int json_get_str(const json_t *object, const char *key, const char *what, const char **ret,
                 struct err *err)
{
	json_t *value = json_object_get(object, key);

	if (!json_is_string(value))
		return fault(what, key, "a string", value, err);
	*ret = json_string_value(value);
	return 0;
}

int json_get_int(const json_t *object, const char *key, const char *what, json_int_t *ret,
                 struct err *err)
{
	json_t *value = json_object_get(object, key);

	if (!json_is_integer(value))
		return fault(what, key, "an integer", value, err);
	*ret = json_integer_value(value);
	return 0;
}

int json_get_object(const json_t *object, const char *key, const char *what, json_t **ret,
                    struct err *err)
{
	json_t *value = json_object_get(object, key);

	if (!json_is_object(value))
		return fault(what, key, "an object", value, err);
	*ret = value;
	return 0;
}

int json_get_array(const json_t *object, const char *key, const char *what, json_t **ret,
                   struct err *err)
{
	json_t *value = json_object_get(object, key);

	if (!json_is_array(value))
		return fault(what, key, "an array", value, err);
	*ret = value;
	return 0;
}

json_t *json_any_text(const char *text)
{
	_cleanup_free_ char *escaped = NULL;

	if (str_is_utf8(str_of(text)))
		return json_string(text);
	escaped = str_escape(str_of(text));
	return json_string(escaped);
}

const char *json_str_or(const json_t *object, const char *key, const char *fallback)
{
	json_t *value = json_object_get(object, key);

	return json_is_string(value) ? json_string_value(value) : fallback;
}

int json_only_members(const json_t *object, const char *const *names, const char *what,
                      struct err *err)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)object, key, value) {
		const char *const *n = names;

		while (*n && !str_eq(*n, key))
			n++;
		if (!*n) {
			const char *near = str_nearest(key, names);

			return err_set(err, ERR_INPUT, "%s: unknown member \"%s\"%s%s%s", what, key,
			               near ? " (did you mean \"" : "", near ? near : "",
			               near ? "\"?)" : "");
		}
	}
	return 0;
}
