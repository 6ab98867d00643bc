#ifndef KILN_BASE_STR_H
#define KILN_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* A view of bytes that somebody else owns; not necessarily ended by NUL. */
struct str {
	const char *p;
	size_t n;
};

#define STR(literal) ((struct str){ (literal), sizeof(literal) - 1 })

static inline struct str str_of(const char *s)
{
	return (struct str){ s, s ? strlen(s) : 0 };
}

static inline bool str_eq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

bool str_same(struct str a, struct str b);
/* Whether it is well-formed UTF-8 without NUL bytes (no surrogates, no overlong forms). */
bool str_is_utf8(struct str s);
/* For messages: printable UTF-8 as it is; control characters, marks that turn the direction of
 * writing, backslashes and broken bytes as \n, \\, \x1b. Caller frees. */
char *str_escape(struct str s);
/* The same for text of several lines that people read: line ends, tabs, backslashes stay. */
char *str_clean(struct str s);
/* A word as one would type it to a shell, in quotes where it needs them; what terminals act on does
 * not stay. Caller frees. */
char *str_quote(const char *word);
bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);

/* Cuts the part before `sep` off the front of *rest. Returns false when *rest was at its end. */
bool str_cut(struct str *rest, char sep, struct str *ret_part);

/* Shell-like glob over a whole name: `*` (not '/'), `**` (also '/'), `?`, `[a-z]`. */
bool str_glob(const char *pattern, const char *name);

/*
 * The candidate nearest to `word` by edit distance (insert, delete, replace, swap), or NULL when
 * none is near enough to be a typing error. `candidates` ends with NULL.
 */
const char *str_nearest(const char *word, const char *const *candidates);

/* qsort order of char *. */
int str_cmp_ptr(const void *a, const void *b);

#endif
