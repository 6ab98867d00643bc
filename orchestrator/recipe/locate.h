#ifndef KILN_RECIPE_LOCATE_H
#define KILN_RECIPE_LOCATE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Lua knows the line of a call but not of the fields in its table. This finds a field's place in
 * the text: from a line on, in the table constructor that begins there, along a path of names
 * ("targets") and positions ("1").
 */
struct locate_query {
	const char *text;
	size_t n;
	size_t line;             /* where the constructor begins */
	const char *callee;      /* the name in front of its brace, or NULL for any */
	const char *const *path; /* NULL-ended; empty: the callee itself */
	bool key;                /* the last name itself, not its value */
};

/*
 * The place of the deepest part of the path that is there, columns in characters. False when no
 * part is.
 */
bool locate_field(const struct locate_query *query, size_t *ret_line, size_t *ret_column);

#endif
