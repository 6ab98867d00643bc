/* A reader of Makefiles. Grammar: GNU make manual, 3 and 6; automake's files keep to it. */
#include "survey/makefile.h"
#include "base/str.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "survey/condition.h"
#include "survey/function.h"

enum { TEXT_MOST = 256 << 10, DEPTH_MOST = 12, WORK_MOST = 8 << 20 };

/* Stands for what is not evaluated; no word of a Makefile has it. */
static const char unknown = '\x01';

/* ---- variables ---------------------------------------------------------------------------- */

const char *makefile_variable(const struct makefile *m, const char *name)
{
	return map_get(m->variables, name);
}

static void expand(const struct makefile *m, const char *text, const char *target, int depth,
                   struct buf *out);

/* $(NAME), $(NAME:A=B) or a function, between the parentheses. */
static void expand_reference(const struct makefile *m, const char *inner, size_t n,
                             const char *target, int depth, struct buf *out)
{
	_cleanup_free_ char *name = str_dup_n(inner, n);
	const char *value;

	if (depth > DEPTH_MOST || *m->depth > DEPTH_MOST || strcspn(name, " \t:$") < n) {
		++*m->depth;
		if (*m->depth > DEPTH_MOST || !function_expand(m, name, target, out))
			buf_add_char(out, unknown);
		--*m->depth;
		return;
	}
	value = makefile_variable(m, name);
	if (value)
		expand(m, value, target, depth + 1, out);
}

/* The end of a reference whose "(" or "{" stands at *p; NULL where it has none. */
static const char *reference_end(const char *p)
{
	size_t depth = 0;

	for (; *p; p++) {
		depth += *p == '(' || *p == '{';
		depth -= *p == ')' || *p == '}';
		if (depth == 0)
			return p;
	}
	return NULL;
}

static void expand(const struct makefile *m, const char *text, const char *target, int depth,
                   struct buf *out)
{
	for (const char *p = text; *p && *m->work > 0; p++) {
		const char *end = NULL;

		--*m->work;
		if (*p != '$' || !p[1]) {
			buf_add_char(out, *p);
			continue;
		}
		p++;
		if (*p == '(' || *p == '{')
			end = reference_end(p);
		if (end) {
			expand_reference(m, p + 1, (size_t)(end - p - 1), target, depth, out);
			p = end;
		} else if (*p == '@' && target) {
			buf_add_str(out, target);
		} else if (*p == '$') {
			buf_add_char(out, '$');
		} else if (isalpha((unsigned char)*p)) {
			expand_reference(m, p, 1, target, depth, out);
		} else {
			buf_add_char(out, unknown);
		}
	}
}

const char *makefile_expand(const struct makefile *m, const char *text, const char *target)
{
	_cleanup_buf_ struct buf out = BUF_INIT(TEXT_MOST);

	expand(m, text, target, 0, &out);
	return arena_str(m->arena, buf_text(&out));
}

bool makefile_is_known(const char *expanded)
{
	return !strchr(expanded, unknown);
}

const char *makefile_word(const struct makefile *m, const char **text)
{
	while (**text) {
		const char *p = *text + strspn(*text, " \t");
		size_t n = strcspn(p, " \t");

		*text = p + n;
		if (n > 0 && !memchr(p, unknown, n))
			return arena_str_n(m->arena, p, n);
	}
	return NULL;
}

/* ---- lines -------------------------------------------------------------------------------- */

static char *trim(char *s)
{
	size_t n;

	s += strspn(s, " \t");
	for (n = strlen(s); n > 0 && isspace((unsigned char)s[n - 1]);)
		s[--n] = '\0';
	return s;
}

/* The next line, continuations joined by a blank; false at the end. */
static bool next_line(struct str *rest, struct buf *line)
{
	struct str part;
	bool some = false, goes_on;

	buf_clear(line);
	do {
		if (!str_cut(rest, '\n', &part))
			return some;
		some = true;
		if (part.n && part.p[part.n - 1] == '\r')
			part.n--;
		goes_on = part.n && part.p[part.n - 1] == '\\';
		if (goes_on)
			part.n--;
		buf_add(line, part.p, part.n);
		if (goes_on)
			buf_add_char(line, ' ');
	} while (goes_on);
	return true;
}

static void cut_comment(char *line)
{
	for (char *p = line; *p; p++)
		if (*p == '#' && (p == line || p[-1] != '\\')) {
			*p = '\0';
			return;
		}
}

/* Where the operator of "NAME op VALUE" begins, and how long it is; NULL: no assignment. */
static char *find_operator(char *line, size_t *ret_n)
{
	size_t depth = 0;

	for (char *p = line; *p; p++) {
		depth += *p == '(' || *p == '{';
		depth -= depth && (*p == ')' || *p == '}');
		if (depth)
			continue;
		if (*p == '=') {
			*ret_n = 1;
			return p;
		}
		if (strchr("?+!:", *p) && p[strspn(p, "?+!:")] == '=') {
			*ret_n = strspn(p, "?+!:") + 1;
			return p;
		}
		if (*p == ':' || *p == '#')
			return NULL;
	}
	return NULL;
}

static void assign(struct makefile *m, char *name, const char *value, bool adds)
{
	const char *before;

	name = trim(name);
	if (str_starts(name, "export "))
		name = trim(name + strlen("export "));
	if (!*name || strpbrk(name, " \t$"))
		return;
	before = map_get(m->variables, name);
	if (before && (!adds || strlen(before) > *m->work))
		return;
	if (before) {
		*m->work -= strlen(before);
		value = arena_fmt(m->arena, "%s %s", before, value);
	}
	map_set(m->variables, name, arena_str(m->arena, value));
}

static void add_rule(struct makefile *m, char *line)
{
	char *colon = strchr(line, ':'), *recipe;
	struct make_rule *rule;

	if (!colon)
		return;
	*colon++ = '\0';
	colon += *colon == ':';
	recipe = strchr(colon, ';');
	if (recipe)
		*recipe++ = '\0';
	rule = array_add(&m->rules);
	rule->targets = makefile_expand(m, trim(line), NULL);
	rule->needs = arena_str(m->arena, trim(colon));
	if (recipe)
		array_push(&rule->recipe, arena_str(m->arena, trim(recipe)));
}

static void read_line(struct makefile *m, struct conditions *conditions, char *line)
{
	size_t n;
	char *op;

	if (line[0] == '\t') {
		if (m->rules.n && !condition_skips(conditions))
			array_push(&m->rules.v[m->rules.n - 1].recipe,
			           arena_str(m->arena, trim(line)));
		return;
	}
	cut_comment(line);
	line = trim(line);
	if (condition_follow(conditions, m, line) || condition_skips(conditions) ||
	    str_starts(line, "override "))
		return;
	op = find_operator(line, &n);
	if (op) {
		bool adds = *op == '+';

		*op = '\0';
		assign(m, line, trim(op + n), adds);
	} else if (*line) {
		add_rule(m, line);
	}
}

void makefile_read(struct arena *arena, const char *text, struct makefile *ret)
{
	_cleanup_buf_ struct buf line = BUF_INIT(TEXT_MOST);
	struct str rest = str_of(text);
	struct conditions conditions = { .depth = 0 };

	*ret = (struct makefile){ .arena = arena,
		                  .variables = map_new(),
		                  .work = arena_alloc(arena, sizeof(*ret->work)),
		                  .depth = arena_alloc(arena, sizeof(*ret->depth)) };
	*ret->work = WORK_MOST;
	while (next_line(&rest, &line)) {
		char *copy = arena_str(arena, buf_text(&line));

		read_line(ret, &conditions, copy);
	}
	/* What rules need may hang on variables that are set below them. */
	for (size_t i = 0; i < ret->rules.n; i++)
		ret->rules.v[i].needs = makefile_expand(ret, ret->rules.v[i].needs, NULL);
}

void makefile_deinit(struct makefile *m)
{
	for (size_t i = 0; i < m->rules.n; i++)
		array_deinit(&m->rules.v[i].recipe);
	array_deinit(&m->rules);
	m->variables = map_free(m->variables);
}

bool makefile_has_word(const struct makefile *m, const char *text, const char *word)
{
	const char *next;

	while ((next = makefile_word(m, &text)))
		if (str_eq(next, word))
			return true;
	return false;
}

bool makefile_has_target(const struct makefile *m, const char *name)
{
	for (size_t i = 0; i < m->rules.n; i++)
		if (makefile_has_word(m, m->rules.v[i].targets, name))
			return true;
	return false;
}
