#ifndef KILN_RECIPE_DIAGNOSE_H
#define KILN_RECIPE_DIAGNOSE_H

#include "model/schema.h"
#include "recipe/state.h"

/* Where a fault lies: a place, and below it a path into the table constructor that begins there. */
struct fault_at {
	struct place place;
	const char *callee;      /* see locate.h; may be NULL */
	const char *const *path; /* NULL-ended, or NULL */
	bool key;
};

/* Moves the place to the line of the path's deepest part that is there; its column in characters, 0
 * where none is, goes to *ret_column (may be NULL). */
void diagnose_find(struct fault_at *at, size_t *ret_column);
/*
 * Fails with ERR_INPUT: "FILE:LINE: text", the source line, a caret, and `note` (may be NULL or
 * empty) behind it.
 */
int diagnose(struct recipe_state *state, const struct fault_at *at, const char *note,
             struct err *err, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* The same for what a schema refused; the pointer becomes the path. */
int diagnose_fault(struct recipe_state *state, struct place place, const char *what,
                   const struct schema_fault *fault, struct err *err);
/* Turns the error value on top of Lua's stack (a text of Lua's own) into err; `at` is where. */
int diagnose_lua(struct recipe_state *state, const char *message, struct place at, struct err *err);
/* A "FILE:LINE" text of this evaluation as a place; file is NULL where it is none. */
struct place diagnose_where(struct recipe_state *state, const char *where);

#endif
