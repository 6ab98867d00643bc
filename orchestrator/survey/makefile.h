#ifndef KILN_SURVEY_MAKEFILE_H
#define KILN_SURVEY_MAKEFILE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/map.h"

/*
 * Variables and rules of a Makefile (or Makefile.am, Makefile.in), without running it. Conditionals
 * are not followed: of several values of a variable the first counts, what += adds is added.
 * Functions other than names are not evaluated: words that hang on one are left out.
 */
struct make_rule {
	const char *targets; /* as written, variables filled in */
	const char *needs;
	ARRAY(const char *) recipe; /* lines, as written */
};

struct makefile {
	struct arena *arena;
	struct map *variables; /* texts, as written */
	/* Characters that may still be filled in: variables that double each other would never end. */
	size_t *work;
	ARRAY(struct make_rule) rules;
};

void makefile_read(struct arena *arena, const char *text, struct makefile *ret);
void makefile_deinit(struct makefile *m);
/* Whether an expanded text has the word. */
bool makefile_has_word(const struct makefile *m, const char *text, const char *word);
/* Whether a rule names it as its target. */
bool makefile_has_target(const struct makefile *m, const char *name);
/* The text of a variable as written; NULL: it is not set. */
const char *makefile_variable(const struct makefile *m, const char *name);
/* A text with its variables filled in. An unknown one is empty, as make has it; words with functions
 * or automatic variables in them are left out, but for $@, which is `target` (may be NULL). */
const char *makefile_expand(const struct makefile *m, const char *text, const char *target);
/* The next word of an expanded text; NULL at its end. */
const char *makefile_word(const struct makefile *m, const char **text);

#endif
