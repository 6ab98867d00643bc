#ifndef KILN_EXTERNAL_TOML_IMPL_H
#define KILN_EXTERNAL_TOML_IMPL_H

#include <stdbool.h>

#include "base/array.h"
#include "base/map.h"
#include "external/toml.h"

/*
 * What toml.c (tables, keys, the document) and toml_value.c (strings, numbers, dates) share: one
 * pass over the text with a position. A part that fails has filled the error.
 */
struct toml_reader {
	struct str text;
	size_t at;
	int depth;
	const char *shown;
	struct map *flags;       /* address of a table or array, as text → enum toml_flag */
	ARRAY(json_t *) pending; /* tables that dotted keys of this section have made */
	struct err *err;
};

/* The byte `ahead` of the position, 0 behind the end (the text holds none). */
static inline char toml_peek(const struct toml_reader *r, size_t ahead)
{
	return r->at + ahead < r->text.n ? r->text.p[r->at + ahead] : '\0';
}

static inline struct str toml_rest(const struct toml_reader *r)
{
	return (struct str){ r->text.p + r->at, r->text.n - r->at };
}

bool toml_starts(const struct toml_reader *r, const char *prefix);
int toml_fault(struct toml_reader *r, size_t at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* A text in quotes, at the position; several lines only with `lines`. Caller frees. */
int toml_string(struct toml_reader *r, bool lines, char **ret);
/* A number, truth, date or time at the position. */
int toml_plain(struct toml_reader *r, json_t **ret);

#endif
