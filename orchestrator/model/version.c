/* Versions: a walk over numbers and words, the same for checking and for comparing. */
#include "model/version.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"

enum { NUMBERS_MOST = 6, DIGITS_MOST = 18, LENGTH_MOST = 100 };

static const char words[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-";

/* The parts of a version, each up to the next sign that ends it. */
struct parts {
	struct str core, pre, build; /* pre, build: p NULL where there is none */
};

static struct parts split(const char *text)
{
	size_t n = strcspn(text, "-+");
	struct parts parts = { .core = { text, n } };

	if (text[n] == '-') {
		size_t m = strcspn(text + n + 1, "+");

		parts.pre = (struct str){ text + n + 1, m };
		n += m + 1;
	}
	if (text[n] == '+')
		parts.build = str_of(text + n + 1);
	return parts;
}

static const char *core_fault(struct str core)
{
	struct str part;
	size_t n = 0;

	while (str_cut(&core, '.', &part)) {
		if (part.n == 0 || part.n > DIGITS_MOST || strspn(part.p, "0123456789") < part.n)
			return "it must begin with numbers, as in 1.4.0";
		if (++n > NUMBERS_MOST)
			return "it has more than six numbers";
	}
	return NULL;
}

static const char *words_fault(struct str list)
{
	struct str part;

	while (str_cut(&list, '.', &part))
		if (part.n == 0 || strspn(part.p, words) < part.n)
			return "behind - and + stand words of letters, digits and -, with dots "
			       "between";
	return NULL;
}

const char *version_fault(const char *text)
{
	struct parts parts = split(text);
	const char *fault = core_fault(parts.core);

	if (strlen(text) > LENGTH_MOST)
		return "it is longer than 100 bytes";
	if (!fault && parts.pre.p)
		fault = words_fault(parts.pre);
	if (!fault && parts.build.p)
		fault = words_fault(parts.build);
	return fault;
}

static bool is_number(struct str word)
{
	return strspn(word.p, "0123456789") >= word.n;
}

/* Numbers of any length, leading zeros aside. */
static int cmp_numbers(struct str a, struct str b)
{
	while (a.n > 1 && a.p[0] == '0')
		a = (struct str){ a.p + 1, a.n - 1 };
	while (b.n > 1 && b.p[0] == '0')
		b = (struct str){ b.p + 1, b.n - 1 };
	if (a.n != b.n)
		return a.n < b.n ? -1 : 1;
	return memcmp(a.p, b.p, a.n);
}

static int cmp_words(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c;

	if (is_number(a) && is_number(b))
		return cmp_numbers(a, b);
	if (is_number(a) != is_number(b))
		return is_number(a) ? -1 : 1;
	c = memcmp(a.p, b.p, n);
	return c ? c : (a.n > b.n) - (a.n < b.n);
}

/* Lists of parts; `rest`: what a part that the other lacks is worth. */
static int cmp_lists(struct str a, struct str b)
{
	struct str x, y;

	for (;;) {
		bool more_a = str_cut(&a, '.', &x), more_b = str_cut(&b, '.', &y);
		int c;

		if (!more_a || !more_b)
			return more_a - more_b;
		c = cmp_words(x, y);
		if (c)
			return c;
	}
}

int version_cmp(const char *a, const char *b)
{
	struct parts x = split(a), y = split(b);
	int c = cmp_lists(x.core, y.core);

	if (c || (!x.pre.p && !y.pre.p))
		return c;
	if (!x.pre.p || !y.pre.p)
		return x.pre.p ? -1 : 1;
	return cmp_lists(x.pre, y.pre);
}

char *version_snapshot(const char *version, unsigned long distance, const char *commit, bool dirty)
{
	_cleanup_buf_ struct buf text = BUF_INIT(4 * LENGTH_MOST);
	struct parts parts = split(version);
	size_t last = parts.core.n;

	if (parts.pre.p) {
		buf_fmt(&text, "%.*s-%.*s.dev.%lu", (int)parts.core.n, parts.core.p,
		        (int)parts.pre.n, parts.pre.p, distance);
	} else {
		while (last > 0 && parts.core.p[last - 1] != '.')
			last--;
		buf_fmt(&text, "%.*s%0*llu-dev.%lu", (int)last, parts.core.p,
		        (int)(parts.core.n - last), strtoull(parts.core.p + last, NULL, 10) + 1,
		        distance);
	}
	buf_fmt(&text, "+g%.7s%s", commit, dirty ? ".dirty" : "");
	return buf_steal(&text);
}
