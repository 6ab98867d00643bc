/* A recursive descent over words. Precedence (WITH, AND, OR) does not matter to well-formedness. */
#include "model/spdx.h"

#include <string.h>

#include "base/str.h"

enum { DEPTH_MOST = 50 };

struct reader {
	const char *at;
	struct str word; /* the current one; n == 0 at the end */
};

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.";

static void next(struct reader *r)
{
	r->at += strspn(r->at, " ");
	r->word.p = r->at;
	r->word.n = *r->at == '(' || *r->at == ')' ? 1 : strcspn(r->at, " ()");
	r->at += r->word.n;
}

static bool is(const struct reader *r, const char *word)
{
	return r->word.n == strlen(word) && memcmp(r->word.p, word, r->word.n) == 0;
}

static bool is_operator(const struct reader *r)
{
	return is(r, "AND") || is(r, "OR") || is(r, "WITH");
}

static bool is_id(struct str word)
{
	return word.n > 0 && strspn(word.p, letters) >= word.n;
}

/* Cuts a prefix with something behind it. */
static bool cut(struct str *word, const char *prefix)
{
	size_t n = strlen(prefix);

	if (word->n <= n || memcmp(word->p, prefix, n) != 0)
		return false;
	*word = (struct str){ word->p + n, word->n - n };
	return true;
}

static bool is_license(struct str word)
{
	const char *colon = memchr(word.p, ':', word.n);
	struct str document = { word.p, colon ? (size_t)(colon - word.p) : 0 };

	if (colon) {
		word = (struct str){ colon + 1, word.n - document.n - 1 };
		return cut(&document, "DocumentRef-") && is_id(document) &&
		       cut(&word, "LicenseRef-") && is_id(word);
	}
	if (word.n > 1 && word.p[word.n - 1] == '+')
		word.n--;
	return is_id(word);
}

static const char *compound(struct reader *r, int depth);

static const char *simple(struct reader *r, int depth)
{
	const char *fault;

	if (r->word.n == 0)
		return "it ends where a license should stand";
	if (is(r, "(")) {
		next(r);
		fault = depth < DEPTH_MOST ? compound(r, depth + 1) : "it is nested too deeply";
		if (fault)
			return fault;
		if (!is(r, ")"))
			return "a parenthesis is not closed";
		next(r);
		return NULL;
	}
	if (is_operator(r) || !is_license(r->word))
		return "a license is written in letters, digits, - and . (AND, OR and WITH stand "
		       "between)";
	next(r);
	if (!is(r, "WITH"))
		return NULL;
	next(r);
	if (is_operator(r) || !is_id(r->word))
		return "an exception should stand behind WITH";
	next(r);
	return NULL;
}

static const char *compound(struct reader *r, int depth)
{
	for (;;) {
		const char *fault = simple(r, depth);

		if (fault || !(is(r, "AND") || is(r, "OR")))
			return fault;
		next(r);
	}
}

const char *spdx_fault(const char *expression)
{
	struct reader r = { .at = expression };
	const char *fault;

	next(&r);
	fault = compound(&r, 0);
	if (fault)
		return fault;
	return r.word.n == 0 ? NULL : "between two licenses stands AND or OR";
}
