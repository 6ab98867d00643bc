/* Which lines of a Makefile count. */
#include "survey/condition.h"

#include <string.h>

#include "base/str.h"

enum verdict { NO, YES, NOT_KNOWN };

/* The rest of a line behind a word that it begins with; NULL where it begins with another. */
static const char *behind(const char *line, const char *word)
{
	size_t n = strlen(word);

	if (!str_starts(line, word) || (line[n] && !strchr(" \t(\"'", line[n])))
		return NULL;
	return line + n + strspn(line + n, " \t");
}

/* The length up to the comma that parts "(A,B)", or the parenthesis that ends it. */
static size_t part_length(const char *text, char end)
{
	size_t depth = 0, n = 0;

	for (; text[n]; n++) {
		if (depth == 0 && text[n] == end)
			break;
		depth += text[n] == '(' || text[n] == '{';
		depth -= depth && (text[n] == ')' || text[n] == '}');
	}
	return n;
}

/* "(A,B)", "\"A\" \"B\"" or "'A' 'B'". */
static bool take_sides(struct arena *arena, const char *text, const char **ret_a,
                       const char **ret_b)
{
	if (*text == '(') {
		size_t n = part_length(++text, ',');

		if (text[n] != ',')
			return false;
		*ret_a = arena_str_n(arena, text, n);
		text += n + 1;
		*ret_b = arena_str_n(arena, text, part_length(text, ')'));
		return true;
	}
	for (int side = 0; side < 2; side++) {
		char quote = *text;
		const char *end;

		if (quote != '"' && quote != '\'')
			return false;
		end = strchr(++text, quote);
		if (!end)
			return false;
		*(side ? ret_b : ret_a) = arena_str_n(arena, text, (size_t)(end - text));
		text = end + 1 + strspn(end + 1, " \t");
	}
	return true;
}

static const char *trimmed(const struct makefile *m, const char *text)
{
	const char *full = makefile_expand(m, text, NULL);
	size_t n;

	full += strspn(full, " \t");
	n = strlen(full);
	while (n > 0 && strchr(" \t", full[n - 1]))
		n--;
	return arena_str_n(m->arena, full, n);
}

static enum verdict are_equal(const struct makefile *m, const char *text)
{
	const char *a, *b;

	if (!take_sides(m->arena, text, &a, &b))
		return NOT_KNOWN;
	a = trimmed(m, a);
	b = trimmed(m, b);
	if (!makefile_is_known(a) || !makefile_is_known(b))
		return NOT_KNOWN;
	return str_eq(a, b) ? YES : NO;
}

static enum verdict is_set(const struct makefile *m, const char *text)
{
	const char *name = trimmed(m, text), *value;

	if (!makefile_is_known(name))
		return NOT_KNOWN;
	value = makefile_variable(m, name);
	return value && *value ? YES : NO;
}

static enum verdict reverse(enum verdict verdict)
{
	return verdict == NOT_KNOWN ? NOT_KNOWN : verdict == YES ? NO : YES;
}

/* Returns false where the line is no condition. */
static bool decide(const struct makefile *m, const char *line, enum verdict *ret)
{
	const char *rest;

	if ((rest = behind(line, "ifeq")))
		*ret = are_equal(m, rest);
	else if ((rest = behind(line, "ifneq")))
		*ret = reverse(are_equal(m, rest));
	else if ((rest = behind(line, "ifdef")))
		*ret = is_set(m, rest);
	else if ((rest = behind(line, "ifndef")))
		*ret = reverse(is_set(m, rest));
	else
		return false;
	return true;
}

static void set_branch(struct conditions *c, enum verdict verdict)
{
	size_t at = c->depth - 1;

	if (c->depth == 0 || at >= CONDITIONS_MOST)
		return;
	c->open[at].skips = c->open[at].decided || verdict == NO;
	c->open[at].decided |= verdict == YES;
}

bool condition_skips(const struct conditions *c)
{
	for (size_t i = 0; i < c->depth && i < CONDITIONS_MOST; i++)
		if (c->open[i].skips)
			return true;
	return false;
}

bool condition_follow(struct conditions *c, const struct makefile *m, const char *line)
{
	enum verdict verdict = YES;
	const char *rest = behind(line, "else");

	if (behind(line, "endif")) {
		c->depth -= c->depth > 0;
		return true;
	}
	if (rest) { /* "else", or "else ifeq …" */
		decide(m, rest, &verdict);
		set_branch(c, verdict);
		return true;
	}
	if (!decide(m, line, &verdict))
		return false;
	if (c->depth < CONDITIONS_MOST)
		c->open[c->depth].decided = false;
	c->depth++;
	set_branch(c, verdict);
	return true;
}
