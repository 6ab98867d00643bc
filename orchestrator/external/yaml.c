/*
 * Builds JSON from libyaml's events, noting the place of every key and value by its JSON pointer,
 * so that whoever judges the content can point at it.
 */
#include "external/yaml.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <yaml.h>

#include "base/alloc.h"
#include "base/array.h"
#include "base/excerpt.h"
#include "base/map.h"
#include "base/str.h"

enum { YAML_MOST = 1 << 20, DEPTH_MOST = 32, POINTER_MOST = 2048 };

struct place {
	struct yaml_place value, key;
};

struct yaml_doc {
	char *name, *text;
	size_t n;
	json_t *json;
	struct map *places; /* JSON pointer → struct place */
};

/* One parse: the pointer of the part being read grows and shrinks with the depth. */
struct reader {
	struct yaml_doc *yaml;
	yaml_parser_t parser;
	struct buf pointer;
	int depth;
	struct err *err;
};

struct yaml_doc *yaml_doc_free(struct yaml_doc *yaml)
{
	if (!yaml)
		return NULL;
	for (size_t i = 0; yaml->places && i < map_count(yaml->places); i++)
		free(map_at(yaml->places, i)->value);
	map_free(yaml->places);
	json_decref(yaml->json);
	free(yaml->name);
	free(yaml->text);
	free(yaml);
	return NULL;
}

json_t *yaml_doc_json(const struct yaml_doc *yaml)
{
	return yaml->json;
}

bool yaml_doc_where(const struct yaml_doc *yaml, const char *pointer, bool key,
                    struct yaml_place *ret)
{
	const struct place *place = map_get(yaml->places, pointer);

	if (!place)
		return false;
	*ret = key && place->key.line ? place->key : place->value;
	return true;
}

static int refuse_at(const struct yaml_doc *yaml, struct yaml_place place, const char *note,
                     struct err *err, const char *fmt, va_list ap)
{
	_cleanup_buf_ struct buf text = BUF_INIT(ERR_CAUSE_MAX - 1);

	buf_fmt(&text, "%s:%zu: ", yaml->name, place.line);
	buf_fmtv(&text, fmt, ap);
	excerpt_add(&text, yaml->text, yaml->n, place.line, place.column, note);
	return err_set(err, ERR_INPUT, "%s", buf_text(&text));
}

int yaml_doc_refuse(const struct yaml_doc *yaml, const char *pointer, bool key, const char *note,
                    struct err *err, const char *fmt, ...)
{
	_cleanup_free_ char *at = str_dup(pointer);
	struct yaml_place place = { 1, 0 };
	va_list ap;

	while (!yaml_doc_where(yaml, at, key, &place) && at[0]) {
		*strrchr(at, '/') = '\0';
		key = true;
	}
	va_start(ap, fmt);
	refuse_at(yaml, place, note, err, fmt, ap);
	va_end(ap);
	return -1;
}

static struct yaml_place place_of(yaml_mark_t mark)
{
	return (struct yaml_place){ mark.line + 1, mark.column + 1 };
}

__attribute__((format(printf, 4, 5))) static int fault(struct reader *r, yaml_mark_t mark,
                                                       const char *note, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	refuse_at(r->yaml, place_of(mark), note, r->err, fmt, ap);
	va_end(ap);
	return -1;
}

static int next_event(struct reader *r, yaml_event_t *event)
{
	if (!yaml_parser_parse(&r->parser, event)) {
		yaml_mark_t mark = r->parser.problem_mark;

		if (r->parser.error == YAML_READER_ERROR)
			mark = r->parser.mark;
		return fault(r, mark, NULL, "not valid YAML: %s%s%s",
		             r->parser.context ? r->parser.context : "",
		             r->parser.context ? ", " : "",
		             r->parser.problem ? r->parser.problem : "unreadable");
	}
	return 0;
}

static struct place *note_place(struct reader *r, yaml_mark_t value)
{
	struct place *place = map_get(r->yaml->places, buf_text(&r->pointer));

	if (!place) {
		place = alloc(sizeof(*place));
		map_set(r->yaml->places, buf_text(&r->pointer), place);
	}
	place->value = place_of(value);
	return place;
}

static bool is_number(const char *s)
{
	s += *s == '-';
	if (*s == '0')
		return s[1] == '\0';
	return *s && s[strspn(s, "0123456789")] == '\0';
}

/* What YAML 1.1 or another reader takes for a number, a truth or a date, and this one does not. */
static bool is_ambiguous(const char *s)
{
	static const char *const words[] = { "yes",  "no",    "on",   "off",  "True", "False",
		                             "TRUE", "FALSE", "Yes",  "No",   "On",   "Off",
		                             "Null", "NULL",  ".inf", ".nan", NULL };
	const char *p = s + (*s == '-' || *s == '+');
	bool digit = false;

	for (size_t i = 0; words[i]; i++)
		if (str_eq(words[i], s))
			return true;
	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'o'))
		return p[2] && p[2 + strspn(p + 2, "0123456789abcdefABCDEF_")] == '\0';
	for (; *p; p++) {
		if (isdigit((unsigned char)*p))
			digit = true;
		else if (!strchr(".eE_:+-", *p))
			return false;
	}
	return digit;
}

static int scalar(struct reader *r, const yaml_event_t *event, json_t **ret)
{
	const char *s = (const char *)event->data.scalar.value;
	size_t n = event->data.scalar.length;
	bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;

	if (memchr(s, '\0', n))
		return fault(r, event->start_mark, NULL, "a text must not hold a NUL");
	if (plain && (n == 0 || str_eq(s, "null") || str_eq(s, "~"))) {
		*ret = json_null();
	} else if (plain && (str_eq(s, "true") || str_eq(s, "false"))) {
		*ret = json_boolean(s[0] == 't');
	} else if (plain && is_number(s)) {
		if (n > 18)
			return fault(r, event->start_mark, NULL, "the number is too large");
		*ret = json_integer(strtoll(s, NULL, 10));
	} else if (plain && is_ambiguous(s)) {
		return fault(r, event->start_mark,
		             "write it in quotes, or true, false or a plain "
		             "whole number",
		             "YAML readers disagree about what %s is", s);
	} else {
		*ret = json_stringn(s, n);
		if (!*ret)
			return fault(r, event->start_mark, NULL, "a text is not valid UTF-8");
	}
	return 0;
}

static int value(struct reader *r, const yaml_event_t *event, json_t **ret);

static int sequence(struct reader *r, json_t **ret)
{
	_cleanup_json_ json_t *array = json_array();

	for (size_t i = 0;; i++) {
		size_t at = r->pointer.n;
		json_t *item = NULL;
		yaml_event_t event;
		int rc;

		if (next_event(r, &event) < 0)
			return -1;
		if (event.type == YAML_SEQUENCE_END_EVENT) {
			yaml_event_delete(&event);
			break;
		}
		buf_fmt(&r->pointer, "/%zu", i);
		rc = value(r, &event, &item);
		yaml_event_delete(&event);
		if (rc < 0)
			return -1;
		json_array_append_new(array, item);
		r->pointer.n = at;
		r->pointer.p[at] = '\0';
	}
	*ret = steal(array);
	return 0;
}

static void add_pointer_part(struct buf *pointer, const char *key)
{
	buf_add_char(pointer, '/');
	for (; *key; key++)
		if (*key == '~' || *key == '/')
			buf_add_str(pointer, *key == '~' ? "~0" : "~1");
		else
			buf_add_char(pointer, *key);
}

/* Reads one member's key and value. */
static int member(struct reader *r, const yaml_event_t *key, json_t *object)
{
	_cleanup_json_ json_t *name = NULL;
	const char *s = (const char *)key->data.scalar.value;
	struct place *place;
	json_t *item = NULL;
	yaml_event_t event;
	int rc;

	if (key->type != YAML_SCALAR_EVENT)
		return fault(r, key->start_mark, NULL, "a member's name must be plain text");
	if (key->data.scalar.anchor || key->data.scalar.tag)
		return fault(r, key->start_mark, NULL, "anchors and tags are not allowed");
	if (memchr(s, '\0', key->data.scalar.length) || !(name = json_string(s)))
		return fault(r, key->start_mark, NULL, "a member's name must be plain text");
	if (json_object_get(object, s)) {
		struct yaml_place first = { 0, 0 };

		add_pointer_part(&r->pointer, s);
		yaml_doc_where(r->yaml, buf_text(&r->pointer), true, &first);
		return fault(r, key->start_mark, NULL,
		             "\"%s\" stands here twice (first in line %zu)", s, first.line);
	}
	add_pointer_part(&r->pointer, s);
	place = note_place(r, key->start_mark);
	place->key = place->value;
	if (next_event(r, &event) < 0)
		return -1;
	rc = value(r, &event, &item);
	yaml_event_delete(&event);
	if (rc == 0)
		json_object_set_new(object, s, item);
	return rc;
}

static int mapping(struct reader *r, json_t **ret)
{
	_cleanup_json_ json_t *object = json_object();

	for (;;) {
		size_t at = r->pointer.n;
		yaml_event_t event;
		bool end;
		int rc = 0;

		if (next_event(r, &event) < 0)
			return -1;
		end = event.type == YAML_MAPPING_END_EVENT;
		if (!end)
			rc = member(r, &event, object);
		yaml_event_delete(&event);
		if (rc < 0)
			return -1;
		if (end)
			break;
		r->pointer.n = at;
		r->pointer.p[at] = '\0';
	}
	*ret = steal(object);
	return 0;
}

static int value(struct reader *r, const yaml_event_t *event, json_t **ret)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;
	int rc;

	if (event->type == YAML_ALIAS_EVENT)
		return fault(r, event->start_mark, "write the value out",
		             "aliases are not allowed");
	if (event->type == YAML_SCALAR_EVENT) {
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
	} else if (event->type == YAML_SEQUENCE_START_EVENT) {
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
	} else if (event->type == YAML_MAPPING_START_EVENT) {
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
	}
	if (anchor || tag)
		return fault(r, event->start_mark, NULL, "anchors and tags are not allowed");
	if (r->depth >= DEPTH_MOST || r->pointer.overflow)
		return fault(r, event->start_mark, NULL, "nested too deeply");
	note_place(r, event->start_mark);
	r->depth++;
	if (event->type == YAML_SCALAR_EVENT)
		rc = scalar(r, event, ret);
	else if (event->type == YAML_SEQUENCE_START_EVENT)
		rc = sequence(r, ret);
	else
		rc = mapping(r, ret);
	r->depth--;
	return rc;
}

static int expect(struct reader *r, yaml_event_type_t type, const char *what)
{
	yaml_event_t event;
	yaml_mark_t mark;
	bool same;

	if (next_event(r, &event) < 0)
		return -1;
	same = event.type == type;
	mark = event.start_mark;
	yaml_event_delete(&event);
	return same ? 0 : fault(r, mark, NULL, "%s", what);
}

static int document(struct reader *r)
{
	yaml_event_t event;
	int rc;

	if (expect(r, YAML_STREAM_START_EVENT, "not a YAML file") < 0 ||
	    expect(r, YAML_DOCUMENT_START_EVENT, "the file is empty") < 0 ||
	    next_event(r, &event) < 0)
		return -1;
	rc = value(r, &event, &r->yaml->json);
	yaml_event_delete(&event);
	if (rc < 0 || expect(r, YAML_DOCUMENT_END_EVENT, "more than one document") < 0)
		return -1;
	return expect(r, YAML_STREAM_END_EVENT, "more than one document in the file");
}

int yaml_doc_parse(const char *text, size_t n, const char *name, struct yaml_doc **ret,
                   struct err *err)
{
	_cleanup_yaml_ struct yaml_doc *yaml = alloc(sizeof(*yaml));
	struct reader r = { .yaml = yaml, .pointer = BUF_INIT(POINTER_MOST), .err = err };
	int rc;

	if (n > YAML_MOST)
		return err_set(err, ERR_INPUT, "%s: larger than %d bytes", name, YAML_MOST);
	yaml->name = str_dup(name);
	yaml->text = str_dup_n(text, n);
	yaml->n = n;
	yaml->places = map_new();
	buf_add_str(&r.pointer, "");
	bug_on(!yaml_parser_initialize(&r.parser));
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)yaml->text, n);
	rc = document(&r);
	yaml_parser_delete(&r.parser);
	buf_deinit(&r.pointer);
	if (rc < 0)
		return -1;
	*ret = steal(yaml);
	return 0;
}
