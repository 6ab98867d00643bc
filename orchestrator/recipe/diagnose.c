/* Errors of a recipe as a person wants to read them: the place, the line, a caret, a way on. */
#include "recipe/diagnose.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/excerpt.h"
#include "base/str.h"
#include "recipe/locate.h"

enum { PARTS_MOST = 16, COLUMN_NONE = 0 };

static void place_text(struct buf *text, const struct recipe_state *state, struct place place)
{
	if (!place.file)
		buf_fmt(text, "%s: ", state->request->recipe);
	else if (place.line > 0)
		buf_fmt(text, "%s:%d: ", place.file->path, place.line);
	else
		buf_fmt(text, "%s: ", place.file->path);
}

static void add_excerpt(struct buf *text, struct place place, size_t column, const char *note)
{
	if (place.file && place.line > 0)
		excerpt_add(text, place.file->text, place.file->n, (size_t)place.line, column,
		            note);
	else if (note && note[0])
		buf_fmt(text, "\n  %s", note);
}

void diagnose_find(struct fault_at *at, size_t *ret_column)
{
	size_t line, column = COLUMN_NONE;

	if (at->place.file && at->place.line > 0 && at->path) {
		struct locate_query query = {
			.text = at->place.file->text,
			.n = at->place.file->n,
			.line = (size_t)at->place.line,
			.callee = at->callee,
			.path = at->path,
			.key = at->key,
		};
		bool there = locate_field(&query, &line, &column);

		if (!there && query.callee) {
			query.callee = NULL;
			there = locate_field(&query, &line, &column);
		}
		if (there)
			at->place.line = (int)line;
		else
			column = COLUMN_NONE;
	}
	if (ret_column)
		*ret_column = column;
}

int diagnose(struct recipe_state *state, const struct fault_at *at, const char *note,
             struct err *err, const char *fmt, ...)
{
	_cleanup_buf_ struct buf text = BUF_INIT(ERR_CAUSE_MAX - 1);
	struct fault_at found = *at;
	size_t column;
	va_list ap;

	diagnose_find(&found, &column);
	place_text(&text, state, found.place);
	va_start(ap, fmt);
	buf_fmtv(&text, fmt, ap);
	va_end(ap);
	add_excerpt(&text, found.place, column, note);
	return err_set(err, ERR_INPUT, "%s", buf_text(&text));
}

/* Splits "/inputs/0/at" into names; array positions count from 1 in Lua. */
static void split_pointer(char *pointer, const char *parts[PARTS_MOST + 1],
                          char numbers[PARTS_MOST][24])
{
	char *rest = pointer[0] == '/' ? pointer + 1 : NULL;
	size_t n = 0;

	while (rest && n < PARTS_MOST) {
		char *part = strsep(&rest, "/");

		parts[n] = part;
		if (part[0] && part[strspn(part, "0123456789")] == '\0') {
			snprintf(numbers[n], sizeof(numbers[n]), "%ld", strtol(part, NULL, 10) + 1);
			parts[n] = numbers[n];
		}
		n++;
	}
	parts[n] = NULL;
}

int diagnose_fault(struct recipe_state *state, struct place place, const char *what,
                   const struct schema_fault *fault, struct err *err)
{
	char pointer[SCHEMA_POINTER_SIZE], numbers[PARTS_MOST][24];
	const char *parts[PARTS_MOST + 1];
	struct fault_at at = { .place = place, .path = parts, .key = fault->at_key };

	memcpy(pointer, fault->pointer, sizeof(pointer));
	split_pointer(pointer, parts, numbers);
	return diagnose(state, &at, fault->note, err, "%s: %s", what, fault->text);
}

/* Cuts "CHUNK:LINE: " off a message of Lua's own. Lua shortens long chunk names, so only the line
 * is taken from it. */
static const char *cut_prefix(const char *message, int *ret_line)
{
	for (const char *p = strchr(message, ':'); p; p = strchr(p + 1, ':')) {
		char *end;
		long line = strtol(p + 1, &end, 10);

		if (end > p + 1 && isdigit((unsigned char)p[1]) && end[0] == ':' && end[1] == ' ') {
			*ret_line = (int)line;
			return end + 2;
		}
	}
	return message;
}

/* The column of what a syntax error was near to: "… near 'TOKEN'". */
static size_t near_column(struct place place, const char *message)
{
	const char *near = strstr(message, " near '"), *end;
	struct str line;
	size_t column = 1, n;

	if (!near || !place.file ||
	    !excerpt_line(place.file->text, place.file->n, (size_t)place.line, &line))
		return COLUMN_NONE;
	near += strlen(" near '");
	end = strrchr(near, '\'');
	n = end ? (size_t)(end - near) : 0;
	for (size_t i = 0; n && i + n <= line.n; i++) {
		if (memcmp(line.p + i, near, n) == 0)
			return column;
		column += ((unsigned char)line.p[i] & 0xc0) != 0x80;
	}
	return COLUMN_NONE;
}

int diagnose_lua(struct recipe_state *state, const char *message, struct place at, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(ERR_CAUSE_MAX - 1);
	int line = at.line;
	const char *rest = cut_prefix(message, &line);
	bool syntax = strstr(rest, " near ") || strstr(rest, "unfinished");

	if (syntax)
		at.line = line;
	place_text(&text, state, at);
	buf_add_str(&text, rest);
	add_excerpt(&text, at, syntax ? near_column(at, rest) : COLUMN_NONE, NULL);
	return err_set(err, ERR_INPUT, "%s", buf_text(&text));
}

struct place diagnose_where(struct recipe_state *state, const char *where)
{
	const char *colon = strrchr(where, ':');

	for (size_t i = 0; colon && i < map_count(state->files); i++) {
		const struct recipe_file *file = map_at(state->files, i)->value;

		if (!file->embedded && strlen(file->path) == (size_t)(colon - where) &&
		    strncmp(file->path, where, (size_t)(colon - where)) == 0)
			return (struct place){ file, (int)strtol(colon + 1, NULL, 10) };
	}
	return (struct place){ 0 };
}
