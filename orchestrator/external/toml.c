/*
 * Tables, keys and values of a TOML document. TOML lets a table be opened once only, by a header or
 * by dotted keys, while parts of it may have come before; so each table and array carries a flag
 * beside the JSON: who made it decides who may still add to it.
 */
#include "external/toml.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>

#include "base/excerpt.h"
#include "external/toml_impl.h"

enum toml_flag {
	TOML_OPEN,     /* made on the way to another one: a header may still name it */
	TOML_EXPLICIT, /* named by a header, or by dotted keys of an earlier section */
	TOML_FROZEN,   /* written as a value: nobody adds to it */
};

/* A key in its parts: a.b."c d". */
struct key {
	ARRAY(char *) parts;
	size_t at; /* where it stands */
};

static void key_deinit(struct key *key)
{
	for (size_t i = 0; i < key->parts.n; i++)
		free(key->parts.v[i]);
	array_deinit(&key->parts);
}
#define _cleanup_key_ _cleanup_(key_deinit)

bool toml_starts(const struct toml_reader *r, const char *prefix)
{
	size_t n = strlen(prefix);

	return toml_rest(r).n >= n && memcmp(toml_rest(r).p, prefix, n) == 0;
}

int toml_fault(struct toml_reader *r, size_t at, const char *fmt, ...)
{
	_cleanup_buf_ struct buf text = BUF_INIT(ERR_CAUSE_MAX - 1);
	size_t line = 1, column = 1;
	va_list ap;

	for (size_t i = 0; i < at && i < r->text.n; i++) {
		if (r->text.p[i] == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)r->text.p[i] & 0xc0) != 0x80) {
			column++;
		}
	}
	buf_fmt(&text, "%s:%zu: ", r->shown, line);
	va_start(ap, fmt);
	buf_fmtv(&text, fmt, ap);
	va_end(ap);
	excerpt_add(&text, r->text.p, r->text.n, line, column, NULL);
	return err_set(r->err, ERR_INPUT, "%s", buf_text(&text));
}

static enum toml_flag flag_of(const struct toml_reader *r, const json_t *part)
{
	return (enum toml_flag)(uintptr_t)map_get_n(r->flags, &part, sizeof(part));
}

static void set_flag(struct toml_reader *r, const json_t *part, enum toml_flag flag)
{
	map_set_n(r->flags, &part, sizeof(part), (void *)(uintptr_t)flag);
}

static void skip_space(struct toml_reader *r)
{
	while (toml_peek(r, 0) == ' ' || toml_peek(r, 0) == '\t')
		r->at++;
}

static int skip_comment(struct toml_reader *r)
{
	if (toml_peek(r, 0) != '#')
		return 0;
	for (; r->at < r->text.n && toml_peek(r, 0) != '\n' && !toml_starts(r, "\r\n"); r->at++) {
		unsigned char c = (unsigned char)toml_peek(r, 0);

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return toml_fault(r, r->at, "a comment must not hold control characters");
	}
	return 0;
}

/* The end of a line: white space, a comment, and a newline or the end of the text. */
static int end_line(struct toml_reader *r)
{
	skip_space(r);
	if (skip_comment(r) < 0)
		return -1;
	if (r->at >= r->text.n)
		return 0;
	if (toml_peek(r, 0) != '\n' && !toml_starts(r, "\r\n"))
		return toml_fault(r, r->at, "the line should end here");
	r->at += toml_peek(r, 0) == '\n' ? 1 : 2;
	return 0;
}

/* White space, comments and empty lines, as arrays may hold them. */
static int skip_lines(struct toml_reader *r)
{
	for (;;) {
		skip_space(r);
		if (skip_comment(r) < 0)
			return -1;
		if (r->at >= r->text.n || (toml_peek(r, 0) != '\n' && !toml_starts(r, "\r\n")))
			return 0;
		r->at += toml_peek(r, 0) == '\n' ? 1 : 2;
	}
}

static int read_key_part(struct toml_reader *r, char **ret)
{
	size_t n = 0;
	char c = toml_peek(r, 0);

	if (c == '"' || c == '\'')
		return toml_string(r, false, ret);
	for (; isalnum((unsigned char)c) || c == '_' || c == '-'; c = toml_peek(r, n))
		n++;
	if (n == 0)
		return toml_fault(r, r->at,
		                  "a key is missing (other characters than A-Z, a-z, "
		                  "0-9, _ and - need quotes)");
	*ret = str_dup_n(r->text.p + r->at, n);
	r->at += n;
	return 0;
}

static int read_key(struct toml_reader *r, struct key *key)
{
	skip_space(r);
	key->at = r->at;
	for (;;) {
		char *part = NULL;

		if (key->parts.n >= TOML_DEPTH_MOST)
			return toml_fault(r, key->at, "the key has too many parts");
		if (read_key_part(r, &part) < 0)
			return -1;
		array_push(&key->parts, part);
		skip_space(r);
		if (toml_peek(r, 0) != '.')
			return 0;
		r->at++;
		skip_space(r);
	}
}

/* The table `name` below another, made where it is missing. Headers also go through arrays of
 * tables, into the newest one. */
static int enter(struct toml_reader *r, const struct key *key, bool header, const char *name,
                 json_t **at)
{
	json_t *next = json_object_get(*at, name);

	if (!next) {
		next = json_object();
		json_object_set_new(*at, name, next);
	}
	if (json_is_array(next) && header && flag_of(r, next) != TOML_FROZEN)
		next = json_array_get(next, json_array_size(next) - 1);
	if (!json_is_object(next))
		return toml_fault(r, key->at, "\"%s\" is a value already, not a table", name);
	if (flag_of(r, next) == TOML_FROZEN)
		return toml_fault(r, key->at, "\"%s\" is written whole already: nothing is added",
		                  name);
	*at = next;
	return 0;
}

/* [a.b]: the table that the following lines are about. */
static int open_table(struct toml_reader *r, const struct key *key, json_t *root, json_t **ret)
{
	json_t *at = root;

	for (size_t i = 0; i < key->parts.n; i++) {
		bool last = i + 1 == key->parts.n;

		if (enter(r, key, !last, key->parts.v[i], &at) < 0)
			return -1;
		if (last && flag_of(r, at) == TOML_EXPLICIT)
			return toml_fault(r, key->at, "the table \"%s\" stands here twice",
			                  key->parts.v[i]);
	}
	set_flag(r, at, TOML_EXPLICIT);
	*ret = at;
	return 0;
}

/* [[a.b]]: one more table of an array. */
static int open_element(struct toml_reader *r, const struct key *key, json_t *root, json_t **ret)
{
	const char *name = key->parts.v[key->parts.n - 1];
	json_t *at = root, *array;

	for (size_t i = 0; i + 1 < key->parts.n; i++)
		if (enter(r, key, true, key->parts.v[i], &at) < 0)
			return -1;
	array = json_object_get(at, name);
	if (!array) {
		array = json_array();
		json_object_set_new(at, name, array);
	}
	if (!json_is_array(array) || flag_of(r, array) == TOML_FROZEN)
		return toml_fault(r, key->at, "\"%s\" is no array of tables", name);
	at = json_object();
	json_array_append_new(array, at);
	set_flag(r, at, TOML_EXPLICIT);
	*ret = at;
	return 0;
}

static int header(struct toml_reader *r, json_t *root, json_t **ret)
{
	_cleanup_key_ struct key key = { 0 };
	bool element = toml_starts(r, "[[");

	for (size_t i = 0; i < r->pending.n; i++)
		set_flag(r, r->pending.v[i], TOML_EXPLICIT);
	r->pending.n = 0;
	r->at += element ? 2 : 1;
	if (read_key(r, &key) < 0)
		return -1;
	if (!toml_starts(r, element ? "]]" : "]"))
		return toml_fault(r, r->at, "the table's name should end here, with %s",
		                  element ? "]]" : "]");
	r->at += element ? 2 : 1;
	r->depth = (int)key.parts.n;
	return element ? open_element(r, &key, root, ret) : open_table(r, &key, root, ret);
}

static int value(struct toml_reader *r, json_t **ret);

/* KEY = VALUE, into a table. */
static int member(struct toml_reader *r, json_t *table)
{
	_cleanup_key_ struct key key = { 0 };
	json_t *item = NULL;
	const char *name;
	int rc;

	if (read_key(r, &key) < 0)
		return -1;
	if (toml_peek(r, 0) != '=')
		return toml_fault(r, r->at, "= and a value should follow the key");
	r->at++;
	skip_space(r);
	for (size_t i = 0; i + 1 < key.parts.n; i++) {
		if (enter(r, &key, false, key.parts.v[i], &table) < 0)
			return -1;
		if (flag_of(r, table) == TOML_EXPLICIT)
			return toml_fault(r, key.at, "the table \"%s\" is complete already",
			                  key.parts.v[i]);
		array_push(&r->pending, table);
	}
	name = key.parts.v[key.parts.n - 1];
	if (json_object_get(table, name))
		return toml_fault(r, key.at, "\"%s\" stands here twice", name);
	r->depth += (int)key.parts.n;
	rc = value(r, &item);
	r->depth -= (int)key.parts.n;
	if (rc == 0)
		json_object_set_new(table, name, item);
	return rc;
}

static int array(struct toml_reader *r, json_t **ret)
{
	_cleanup_json_ json_t *items = json_array();

	for (r->at++;; r->at++) {
		json_t *item = NULL;

		if (skip_lines(r) < 0)
			return -1;
		if (toml_peek(r, 0) == ']')
			break;
		if (value(r, &item) < 0)
			return -1;
		json_array_append_new(items, item);
		if (skip_lines(r) < 0)
			return -1;
		if (toml_peek(r, 0) == ']')
			break;
		if (toml_peek(r, 0) != ',')
			return toml_fault(r, r->at, "a comma or ] should follow");
	}
	r->at++;
	set_flag(r, items, TOML_FROZEN);
	*ret = steal(items);
	return 0;
}

/* { a = 1, b.c = 2 }: on one line, no comma at the end. */
static int inline_table(struct toml_reader *r, json_t **ret)
{
	_cleanup_json_ json_t *table = json_object();

	r->at++;
	skip_space(r);
	while (toml_peek(r, 0) != '}') {
		if (member(r, table) < 0)
			return -1;
		skip_space(r);
		if (toml_peek(r, 0) == '}')
			break;
		if (toml_peek(r, 0) != ',')
			return toml_fault(r, r->at, "a comma or } should follow, on the same line");
		r->at++;
		skip_space(r);
		if (toml_peek(r, 0) == '}')
			return toml_fault(r, r->at, "a key should follow the comma");
	}
	r->at++;
	set_flag(r, table, TOML_FROZEN);
	*ret = steal(table);
	return 0;
}

static int value(struct toml_reader *r, json_t **ret)
{
	char c = toml_peek(r, 0);
	int rc;

	if (r->depth >= TOML_DEPTH_MOST)
		return toml_fault(r, r->at, "nested too deeply");
	r->depth++;
	if (c == '[') {
		rc = array(r, ret);
	} else if (c == '{') {
		rc = inline_table(r, ret);
	} else if (c == '"' || c == '\'') {
		_cleanup_free_ char *text = NULL;

		rc = toml_string(r, true, &text);
		if (rc == 0)
			*ret = json_string(text);
	} else {
		rc = toml_plain(r, ret);
	}
	r->depth--;
	return rc;
}

static int document(struct toml_reader *r, json_t *root)
{
	json_t *table = root;

	if (toml_starts(r, "\xef\xbb\xbf"))
		r->at += 3;
	for (;;) {
		int rc;

		if (skip_lines(r) < 0)
			return -1;
		if (r->at >= r->text.n)
			return 0;
		rc = toml_peek(r, 0) == '[' ? header(r, root, &table) : member(r, table);
		if (rc < 0 || end_line(r) < 0)
			return -1;
	}
}

int toml_read(struct str text, const char *shown, json_t **ret, struct err *err)
{
	_cleanup_json_ json_t *root = json_object();
	struct toml_reader r = { .text = text, .shown = shown, .err = err };
	int rc;

	if (text.n > TOML_MOST)
		return err_set(err, ERR_INPUT, "%s: larger than %d bytes", shown, TOML_MOST);
	if (!str_is_utf8(text))
		return err_set(err, ERR_INPUT, "%s: not valid UTF-8, or a NUL is in it", shown);
	r.flags = map_new();
	rc = document(&r, root);
	map_free(r.flags);
	array_deinit(&r.pending);
	if (rc < 0)
		return -1;
	*ret = steal(root);
	return 0;
}
