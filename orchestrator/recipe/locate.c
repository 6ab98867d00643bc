/*
 * A tokenizer for Lua that knows strings, comments and brackets, and a walk over table
 * constructors. It never judges: a text it cannot follow simply has no such field.
 */
#include "recipe/locate.h"

#include <ctype.h>
#include <string.h>

#include "base/str.h"

enum { CANDIDATES_MOST = 16, PATH_MOST = 16 };

struct token {
	const char *p;
	size_t n;
	size_t line, column;
	char kind; /* 'n' name, 's' string, '0' number, 'e' end, else the character itself */
};

struct scanner {
	const char *p, *end;
	size_t line, column;
};

static void step(struct scanner *s)
{
	if (*s->p == '\n') {
		s->line++;
		s->column = 1;
	} else if (s->p + 1 == s->end || ((unsigned char)s->p[1] & 0xc0) != 0x80) {
		s->column++;
	}
	s->p++;
}

static void steps(struct scanner *s, size_t n)
{
	while (n-- && s->p < s->end)
		step(s);
}

static bool at(const struct scanner *s, const char *text)
{
	size_t n = strlen(text);

	return (size_t)(s->end - s->p) >= n && memcmp(s->p, text, n) == 0;
}

/* The level of a long bracket "[==[" at the scanner, or -1. */
static int long_bracket(const struct scanner *s)
{
	const char *p = s->p + 1;

	if (s->p == s->end || *s->p != '[')
		return -1;
	while (p < s->end && *p == '=')
		p++;
	return p < s->end && *p == '[' ? (int)(p - s->p - 1) : -1;
}

static void skip_long(struct scanner *s, int level)
{
	steps(s, (size_t)level + 2);
	while (s->p < s->end) {
		const char *p = s->p + 1;
		int n = 0;

		if (*s->p == ']') {
			while (p < s->end && *p == '=' && n < level)
				p++, n++;
			if (n == level && p < s->end && *p == ']') {
				steps(s, (size_t)level + 2);
				return;
			}
		}
		step(s);
	}
}

static void skip_blank(struct scanner *s)
{
	while (s->p < s->end) {
		if (isspace((unsigned char)*s->p)) {
			step(s);
		} else if (at(s, "--")) {
			int level;

			steps(s, 2);
			level = long_bracket(s);
			if (level >= 0)
				skip_long(s, level);
			else
				while (s->p < s->end && *s->p != '\n')
					step(s);
		} else {
			return;
		}
	}
}

static void skip_quoted(struct scanner *s, char quote)
{
	step(s);
	while (s->p < s->end && *s->p != quote && *s->p != '\n') {
		if (*s->p == '\\')
			step(s);
		if (s->p < s->end)
			step(s);
	}
	if (s->p < s->end && *s->p == quote)
		step(s);
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static struct token next_token(struct scanner *s)
{
	struct token t;
	int level;

	skip_blank(s);
	t = (struct token){ s->p, 0, s->line, s->column, 'e' };
	if (s->p == s->end)
		return t;
	level = long_bracket(s);
	if (*s->p == '"' || *s->p == '\'') {
		t.kind = 's';
		skip_quoted(s, *s->p);
	} else if (level >= 0) {
		t.kind = 's';
		skip_long(s, level);
	} else if (is_word(*s->p)) {
		t.kind = isdigit((unsigned char)*s->p) ? '0' : 'n';
		while (s->p < s->end && (is_word(*s->p) || (t.kind == '0' && *s->p == '.')))
			step(s);
	} else if (at(s, "==") || at(s, "~=") || at(s, "<=") || at(s, ">=")) {
		t.kind = 'o';
		steps(s, 2);
	} else {
		t.kind = *s->p;
		step(s);
	}
	t.n = (size_t)(s->p - t.p);
	return t;
}

static bool names(const struct token *t, const char *name)
{
	size_t n = strlen(name);

	if (t->kind == 's')
		return t->n == n + 2 && memcmp(t->p + 1, name, n) == 0;
	return t->n == n && memcmp(t->p, name, n) == 0;
}

static int depth_change(const struct token *t, int depth)
{
	if (t->kind == '{' || t->kind == '(' || t->kind == '[')
		return depth + 1;
	if (t->kind == '}' || t->kind == ')' || t->kind == ']')
		return depth - 1;
	if (t->kind == 'n' && names(t, "function"))
		return depth + 1;
	if (t->kind == 'n' && names(t, "end"))
		return depth - 1;
	if (t->kind == 'n' && (names(t, "if") || names(t, "do")))
		return depth + 1;
	return depth;
}

/* A field of a constructor: its key (or first value token), its value, and where the value's text
 * can be read again. */
struct field {
	struct token key, value;
	struct scanner inside;
};

/* Skips the rest of a field. Returns false at the constructor's end. */
static bool skip_field(struct scanner *s, struct token t)
{
	int depth = 0;

	for (;; t = next_token(s)) {
		if (t.kind == 'e' || (depth == 0 && t.kind == '}'))
			return false;
		if (depth == 0 && (t.kind == ',' || t.kind == ';'))
			return true;
		depth = depth_change(&t, depth);
	}
}

/* Looks for a name or position among the fields; `s` stands behind the brace. */
static bool find_field(struct scanner s, const char *wanted, struct field *ret)
{
	size_t position = 0;
	char text[24];

	for (;;) {
		struct scanner before = s, value;
		struct token t = next_token(&s), key = t, v;
		bool named = false;

		if (t.kind == 'e' || t.kind == '}')
			return false;
		if (t.kind == 'n') {
			struct scanner look = s;

			named = next_token(&look).kind == '=';
			if (named)
				s = look;
		} else if (t.kind == '[') {
			key = next_token(&s);
			named = true;
			while ((t = next_token(&s)).kind != '=' && t.kind != 'e')
				;
		}
		value = named ? s : before;
		v = named ? next_token(&s) : t;
		if (!named) {
			size_t n = ++position, i = sizeof(text) - 1;

			text[i] = '\0';
			for (; n; n /= 10)
				text[--i] = (char)('0' + n % 10);
			if (str_eq(text + i, wanted)) {
				*ret = (struct field){ v, v, value };
				return true;
			}
		} else if (key.kind != '0' && names(&key, wanted)) {
			*ret = (struct field){ key, v, value };
			return true;
		}
		if (!skip_field(&s, v))
			return false;
	}
}

/* Moves into the constructor that a field's value holds: `{`, `name {`, `name.other {`. */
static bool enter(struct scanner *s)
{
	for (;;) {
		struct token t = next_token(s);

		if (t.kind == '{')
			return true;
		if (t.kind != 'n' && t.kind != '.' && t.kind != '(')
			return false;
	}
}

/* Follows the path from behind a brace. Returns how many parts were found. */
static size_t follow(struct scanner s, const struct locate_query *q, struct token *ret)
{
	size_t found = 0;

	for (const char *const *part = q->path; *part; part++) {
		struct field field;

		if (!find_field(s, *part, &field))
			break;
		found++;
		*ret = q->key && !part[1] ? field.key : field.value;
		s = field.inside;
		if (!enter(&s))
			break;
	}
	return found;
}

bool locate_field(const struct locate_query *query, size_t *ret_line, size_t *ret_column)
{
	struct scanner s = { query->text, query->text + query->n, 1, 1 };
	struct token before = { .kind = 'e' }, found = { .kind = 'e' };
	size_t best = 0;

	for (int tried = 0; tried < CANDIDATES_MOST;) {
		struct token t = next_token(&s), place;
		size_t n;

		if (t.kind == 'e' || t.line > query->line + 1)
			break;
		if (t.kind == '{' && t.line >= query->line &&
		    (!query->callee || (before.kind == 'n' && names(&before, query->callee)))) {
			tried++;
			place = before;
			n = query->path[0] || !query->callee ? follow(s, query, &place) : 1;
			if (n > best) {
				best = n;
				found = place;
			}
		}
		before = t;
	}
	if (!best)
		return false;
	*ret_line = found.line;
	*ret_column = found.column;
	return true;
}
