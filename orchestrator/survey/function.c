/* A few functions of make. */
#include "survey/function.h"

#include <string.h>

#include "base/str.h"

/* One "%" stands for any text. */
static bool matches(const char *pattern, const char *word)
{
	const char *percent = strchr(pattern, '%');
	size_t front, n = strlen(word), back;

	if (!percent)
		return str_eq(pattern, word);
	front = (size_t)(percent - pattern);
	back = strlen(percent + 1);
	return n >= front + back && strncmp(pattern, word, front) == 0 &&
	       str_eq(word + n - back, percent + 1);
}

static bool matches_any(const struct makefile *m, const char *patterns, const char *word)
{
	const char *pattern;

	while ((pattern = makefile_word(m, &patterns)))
		if (matches(pattern, word))
			return true;
	return false;
}

static void filter(const struct makefile *m, const char *patterns, const char *text, bool keep,
                   struct buf *out)
{
	const char *word, *between = "";

	while ((word = makefile_word(m, &text)))
		if (matches_any(m, patterns, word) == keep) {
			buf_fmt(out, "%s%s", between, word);
			between = " ";
		}
}

/* What follows a function's name; NULL: it is another one. */
static const char *arguments(const char *inner, const char *name)
{
	size_t n = strlen(name);

	return str_starts(inner, name) && (inner[n] == ' ' || inner[n] == '\t') ?
	               inner + n + strspn(inner + n, " \t") :
	               NULL;
}

static bool two_arguments(const struct makefile *m, const char *text, const char *target,
                          const char **ret_a, const char **ret_b)
{
	size_t depth = 0, n = 0;

	for (; text[n] && (depth || text[n] != ','); n++) {
		depth += text[n] == '(' || text[n] == '{';
		depth -= depth && (text[n] == ')' || text[n] == '}');
	}
	if (!text[n])
		return false;
	*ret_a = makefile_expand(m, arena_str_n(m->arena, text, n), target);
	*ret_b = makefile_expand(m, text + n + 1, target);
	return makefile_is_known(*ret_a) && makefile_is_known(*ret_b);
}

/* Of the commands of a shell the one question that has the same answer wherever Kiln builds. */
static bool shell(const char *command, struct buf *out)
{
	static const char *const asked[] = { "uname", "uname -s", "uname -o", NULL };
	size_t n = strcspn(command, "2>|");

	while (n > 0 && strchr(" \t", command[n - 1]))
		n--;
	for (size_t i = 0; asked[i]; i++)
		if (strlen(asked[i]) == n && strncmp(asked[i], command, n) == 0) {
			buf_add_str(out, i == 2 ? "GNU/Linux" : "Linux");
			return true;
		}
	return false;
}

bool function_expand(const struct makefile *m, const char *inner, const char *target,
                     struct buf *out)
{
	const char *rest, *a, *b;

	if ((rest = arguments(inner, "shell")))
		return shell(rest, out);
	if ((rest = arguments(inner, "strip"))) {
		a = makefile_expand(m, rest, target);
		if (!makefile_is_known(a))
			return false;
		filter(m, "%", a, true, out);
		return true;
	}
	if ((rest = arguments(inner, "findstring"))) {
		if (!two_arguments(m, rest, target, &a, &b))
			return false;
		buf_add_str(out, strstr(b, a) ? a : "");
		return true;
	}
	rest = arguments(inner, "filter");
	if (rest || (rest = arguments(inner, "filter-out"))) {
		if (!two_arguments(m, rest, target, &a, &b))
			return false;
		filter(m, a, b, arguments(inner, "filter") != NULL, out);
		return true;
	}
	return false;
}
