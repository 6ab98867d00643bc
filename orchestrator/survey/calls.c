/* Two small readers of build languages that have one thing in common: NAME ( ARGUMENTS ). */
#include "survey/calls.h"
#include "base/str.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/buf.h"

enum { ARGS_MOST = 2000, WORD_MOST = 64 << 10, DEPTH_MOST = 100 };

void calls_deinit(struct calls *calls)
{
	array_deinit(calls);
}

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static const char *skip_line(const char *p)
{
	return p + strcspn(p, "\n");
}

struct words {
	const char **v;
	size_t n, cap;
};

static void keep(struct arena *arena, struct words *words, const char *p, size_t n)
{
	if (words->n < ARGS_MOST)
		array_push(words, arena_str_n(arena, p, n));
}

static void add_call(struct arena *arena, struct calls *calls, const char *name,
                     struct words *words)
{
	struct call *call = array_add(calls);

	call->name = name;
	call->n_args = words->n;
	call->args = words->n ? arena_dup(arena, words->v, words->n * sizeof(*words->v)) : NULL;
	array_deinit(words);
}

/* ---- CMake -------------------------------------------------------------------------------- */

/* Behind "[", "=" signs and "[": the text up to the same closing; NULL where none begins here. */
static const char *bracket(const char *p, const char **ret_end, size_t *ret_n)
{
	size_t level = *p == '[' ? strspn(p + 1, "=") : 0;
	const char *body;

	if (*p != '[' || p[1 + level] != '[')
		return NULL;
	body = p + 2 + level;
	for (const char *q = body; *q; q++)
		if (*q == ']' && strspn(q + 1, "=") == level && q[1 + level] == ']') {
			*ret_end = q + level + 2;
			*ret_n = (size_t)(q - body);
			return body;
		}
	*ret_n = strlen(body);
	*ret_end = body + *ret_n;
	return body;
}

static const char *cmake_comment(const char *p)
{
	const char *end;
	size_t n;

	return bracket(p + 1, &end, &n) ? end : skip_line(p);
}

/* One argument at *p, which is neither white space nor a parenthesis. */
static const char *cmake_argument(struct arena *arena, const char *p, struct words *words)
{
	const char *end, *body;
	size_t n;

	body = bracket(p, &end, &n);
	if (body) {
		keep(arena, words, body, n);
		return end;
	}
	if (*p == '"') {
		_cleanup_buf_ struct buf text = BUF_INIT(WORD_MOST);

		for (p++; *p && *p != '"'; p++) {
			if (*p == '\\' && p[1])
				p++;
			buf_add_char(&text, *p);
		}
		keep(arena, words, buf_text(&text), text.n);
		return *p ? p + 1 : p;
	}
	for (n = 0; p[n] && !isspace((unsigned char)p[n]) && !strchr("()#\"", p[n]); n++)
		n += p[n] == '\\' && p[n + 1];
	keep(arena, words, p, n);
	return p + (n ? n : 1);
}

/* The arguments behind "("; returns what follows ")". */
static const char *cmake_arguments(struct arena *arena, const char *p, struct words *words)
{
	size_t depth = 1;

	while (*p && depth > 0) {
		if (*p == '(' || *p == ')')
			depth += *p++ == '(' ? 1 : (size_t)-1;
		else if (isspace((unsigned char)*p))
			p++;
		else if (*p == '#')
			p = cmake_comment(p);
		else
			p = cmake_argument(arena, p, words);
	}
	return p;
}

void calls_read_cmake(struct arena *arena, const char *text, struct calls *ret)
{
	const char *p = text;

	while (*p) {
		struct words words = { 0 };
		size_t n = 0, blank;
		char *name;

		while (is_name(p[n]))
			n++;
		blank = n + strspn(p + n, " \t");
		if (n == 0 || p[blank] != '(') {
			p = *p == '#' ? cmake_comment(p) : p + (n ? n : 1);
			continue;
		}
		name = arena_str_n(arena, p, n);
		for (char *c = name; *c; c++)
			*c = (char)tolower((unsigned char)*c);
		p = cmake_arguments(arena, p + blank + 1, &words);
		add_call(arena, ret, name, &words);
	}
}

/* ---- Meson -------------------------------------------------------------------------------- */

/* A text at *p ('…' or '''…'''); returns what follows it. */
static const char *meson_text(const char *p, struct buf *text)
{
	size_t quotes = strncmp(p, "'''", 3) == 0 ? 3 : 1;

	for (p += quotes; *p && strncmp(p, "'''", quotes) != 0; p++) {
		if (quotes == 1 && *p == '\\' && p[1])
			p++;
		buf_add_char(text, *p);
	}
	return *p ? p + quotes : p;
}

static const char *meson_arguments(struct arena *arena, const char *p, struct words *words,
                                   struct calls *calls);

static const char *meson_call(struct arena *arena, const char *p, size_t n, struct calls *calls)
{
	const char *name = arena_str_n(arena, p, n);
	struct words words = { 0 };

	p += n;
	p += strspn(p, " \t") + 1;
	if (calls->depth >= DEPTH_MOST)
		return p;
	calls->depth++;
	p = meson_arguments(arena, p, &words, calls);
	calls->depth--;
	add_call(arena, calls, name, &words);
	return p;
}

/* One argument ends at a comma or a parenthesis of this depth; what it is made of is looked through
 * for calls, and kept where it is one text. */
struct meson_argument {
	struct buf text; /* "key:" and the text so far */
	size_t key;      /* bytes of "key:" */
	size_t texts;    /* how many texts and other parts it has */
};

static void end_argument(struct arena *arena, struct meson_argument *arg, struct words *words)
{
	if (arg->texts == 1)
		keep(arena, words, buf_text(&arg->text), arg->text.n);
	else if (arg->texts > 1)
		keep(arena, words, buf_text(&arg->text), arg->key);
	buf_clear(&arg->text);
	arg->texts = 0;
	arg->key = 0;
}

static const char *meson_word(struct arena *arena, const char *p, struct meson_argument *arg,
                              struct calls *calls)
{
	size_t n = 0, blank;

	while (is_name(p[n]))
		n++;
	blank = n + strspn(p + n, " \t");
	if (p[blank] == '(') {
		arg->texts += 2;
		return meson_call(arena, p, n, calls);
	}
	if (p[blank] == ':') {
		buf_fmt(&arg->text, "%.*s:", (int)n, p);
		arg->key = arg->text.n;
		return p + blank + 1;
	}
	buf_add(&arg->text, p, n);
	arg->texts +=
		(n == 4 && strncmp(p, "true", 4) == 0) || (n == 5 && strncmp(p, "false", 5) == 0) ?
			1 :
			2;
	return p + n;
}

static const char *meson_arguments(struct arena *arena, const char *p, struct words *words,
                                   struct calls *calls)
{
	struct meson_argument arg = { .text = BUF_INIT(WORD_MOST) };
	size_t depth = 1;

	while (*p && depth > 0) {
		if (*p == '#') {
			p = skip_line(p);
		} else if (*p == '\'') {
			p = meson_text(p, &arg.text);
			arg.texts++;
		} else if (is_name(*p)) {
			p = meson_word(arena, p, &arg, calls);
		} else {
			depth += *p == '(' || *p == '[' || *p == '{';
			depth -= *p == ')' || *p == ']' || *p == '}';
			if (*p == ',' && depth == 1)
				end_argument(arena, &arg, words);
			else if (strchr("+/%*-", *p))
				arg.texts++;
			p++;
		}
	}
	end_argument(arena, &arg, words);
	buf_deinit(&arg.text);
	return p;
}

void calls_read_meson(struct arena *arena, const char *text, struct calls *ret)
{
	const char *p = text;

	while (*p) {
		size_t n = 0;

		while (is_name(p[n]))
			n++;
		if (n > 0 && p[n + strspn(p + n, " \t")] == '(') {
			p = meson_call(arena, p, n, ret);
		} else if (*p == '\'') {
			_cleanup_buf_ struct buf ignored = BUF_INIT(WORD_MOST);

			p = meson_text(p, &ignored);
		} else {
			p = *p == '#' ? skip_line(p) : p + (n ? n : 1);
		}
	}
}
