/* Looking at strings: views, globs, and the nearest name for "did you mean". */
#include "base/str.h"

#include <stdint.h>

#include "base/alloc.h"

bool str_same(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* The length of the well-formed character at the front of s (not empty), or 0. */
static size_t utf8_char(struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	unsigned char low = 0x80, high = 0xbf;
	size_t n;

	if (p[0] < 0x80)
		return p[0] != 0;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (p[0] == 0xe0)
		low = 0xa0; /* overlong */
	else if (p[0] == 0xed)
		high = 0x9f; /* surrogates */
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f; /* past U+10FFFF */
	if (s.n < n || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	return n;
}

bool str_is_utf8(struct str s)
{
	while (s.n > 0) {
		size_t n = utf8_char(s);

		if (n == 0)
			return false;
		s.p += n;
		s.n -= n;
	}
	return true;
}

/*
 * What a terminal acts on, or shows in another place than where it stands: control characters (those
 * above ASCII too: U+0080 to U+009F) and marks that change the direction of writing (U+200E,
 * U+200F, U+202A to U+202E, U+2066 to U+2069). `n` bytes that are one character.
 */
static bool acts_on_terminal(const char *p, size_t n)
{
	const unsigned char *u = (const unsigned char *)p;

	if (n == 1)
		return u[0] < 0x20 || u[0] == 0x7f;
	if (n == 2)
		return u[0] == 0xc2 && u[1] < 0xa0;
	if (n != 3 || u[0] != 0xe2)
		return false;
	return (u[1] == 0x80 && (u[2] == 0x8e || u[2] == 0x8f || (u[2] >= 0xaa && u[2] <= 0xae))) ||
	       (u[1] == 0x81 && u[2] >= 0xa6 && u[2] <= 0xa9);
}

/* `layout`: line ends, tabs and backslashes stay as they are. */
static char *escape(struct str s, bool layout)
{
	static const char hex[] = "0123456789abcdef";
	char *out = alloc(s.n * 4 + 1), *at = out;

	while (s.n > 0) {
		unsigned char c = (unsigned char)s.p[0];
		size_t n = utf8_char(s);

		bool kept = layout && (c == '\n' || c == '\t' || c == '\\');

		if (kept || (n > 0 && c != '\\' && !acts_on_terminal(s.p, n))) {
			n = kept ? 1 : n;
			memcpy(at, s.p, n);
			at += n;
		} else if (c == '\n' || c == '\t' || c == '\\') {
			*at++ = '\\';
			*at++ = c == '\n' ? 'n' : c == '\t' ? 't' : '\\';
			n = 1;
		} else {
			*at++ = '\\';
			*at++ = 'x';
			*at++ = hex[c >> 4];
			*at++ = hex[c & 15];
			n = 1;
		}
		s.p += n;
		s.n -= n;
	}
	return out;
}

char *str_escape(struct str s)
{
	return escape(s, false);
}

char *str_clean(struct str s)
{
	return escape(s, true);
}

char *str_quote(const char *word)
{
	_cleanup_free_ char *clean = str_clean(str_of(word));
	char *out, *at;

	if (clean[0] && !strpbrk(clean, " \t\n$'\"\\*?;&|<>()[]{}~#`!"))
		return steal(clean);
	out = at = alloc(strlen(clean) * 4 + 3);
	*at++ = '\'';
	for (const char *p = clean; *p; p++) {
		if (*p == '\'') {
			memcpy(at, "'\\''", 4);
			at += 4;
		} else {
			*at++ = *p;
		}
	}
	*at++ = '\'';
	*at = '\0';
	return out;
}

bool str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

bool str_cut(struct str *rest, char sep, struct str *ret_part)
{
	const char *end;

	if (!rest->p)
		return false;
	end = rest->n ? memchr(rest->p, sep, rest->n) : NULL;
	if (!end) {
		*ret_part = *rest;
		*rest = (struct str){ NULL, 0 };
		return true;
	}
	*ret_part = (struct str){ rest->p, (size_t)(end - rest->p) };
	*rest = (struct str){ end + 1, rest->n - ret_part->n - 1 };
	return true;
}

/* Matches one [...] class at *pattern; advances it behind the class. */
static bool class_matches(const char **pattern, char c)
{
	const char *p = *pattern + 1;
	bool negate = *p == '!' || *p == '^';
	bool hit = false;
	const char *first;

	if (negate)
		p++;
	first = p;
	while (*p && (*p != ']' || p == first)) {
		if (p[1] == '-' && p[2] && p[2] != ']') {
			hit |= c >= p[0] && c <= p[2];
			p += 3;
		} else {
			hit |= c == *p++;
		}
	}
	*pattern = *p ? p + 1 : p;
	return hit != negate && c != '/';
}

/* Iterative matching with one point to go back to per star kind: never exponential. */
bool str_glob(const char *pattern, const char *name)
{
	const char *star = NULL, *star_name = NULL; /* last '*' */
	const char *deep = NULL, *deep_name = NULL; /* last '**' */
	bool parts = false;                         /* it was a "**" + "/": whole parts only */

	while (*name) {
		if (pattern[0] == '*' && pattern[1] == '*') {
			parts = pattern[2] == '/';
			pattern += parts ? 3 : 2;
			deep = pattern;
			deep_name = name;
			star = NULL;
			continue;
		}
		if (*pattern == '*') {
			star = ++pattern;
			star_name = name;
			continue;
		}
		if (*pattern == '[') {
			const char *after = pattern;
			if (class_matches(&after, *name)) {
				pattern = after;
				name++;
				continue;
			}
		} else if (*pattern == *name || (*pattern == '?' && *name != '/')) {
			pattern++;
			name++;
			continue;
		}
		if (star && *star_name != '/') {
			pattern = star;
			name = ++star_name;
		} else if (deep) {
			const char *slash = parts ? strchr(deep_name, '/') : deep_name;

			if (!slash)
				return false;
			pattern = deep;
			name = deep_name = slash + 1;
			star = NULL;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

/* "CFLAGS" for cflags is an error in typing like any other. */
static int low(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

/* Damerau-Levenshtein (optimal string alignment) over rows of at most 64 characters. */
static size_t edit_distance(const char *a, const char *b)
{
	enum { MAX = 64 };
	size_t n = strlen(a), m = strlen(b);
	size_t rows[3][MAX + 1];

	if (n > MAX || m > MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= m; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t *row = rows[i % 3], *up = rows[(i - 1) % 3], *up2 = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			size_t best = up[j - 1] + (low(a[i - 1]) != low(b[j - 1]));

			if (up[j] + 1 < best)
				best = up[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && low(a[i - 1]) == low(b[j - 2]) &&
			    low(a[i - 2]) == low(b[j - 1]) && up2[j - 2] + 1 < best)
				best = up2[j - 2] + 1;
			row[j] = best;
		}
	}
	return rows[n % 3][m];
}

const char *str_nearest(const char *word, const char *const *candidates)
{
	const char *best = NULL;
	size_t best_distance = (strlen(word) + 1) / 3;

	/* Of one letter anything is near to anything. */
	for (; best_distance > 0 && *candidates; candidates++) {
		size_t d = edit_distance(word, *candidates);

		if (d < best_distance || (d == best_distance && !best)) {
			best = *candidates;
			best_distance = d;
		}
	}
	return best;
}

int str_cmp_ptr(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}
