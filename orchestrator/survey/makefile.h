#ifndef KILN_SURVEY_MAKEFILE_H
#define KILN_SURVEY_MAKEFILE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/buf.h"
#include "base/map.h"

/*
 * Variables and rules of a Makefile (or Makefile.am, Makefile.in), without running it. Conditionals are
 * followed where what they compare is known (survey/condition.h); where it is not, all branches count.
 * Of several values of a variable the first counts, what += adds is added. Of functions a few are
 * evaluated (survey/function.h): words that hang on another are left out.
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
	size_t *depth; /* of functions within functions */
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
/* Whether nothing in an expanded text was left out. */
bool makefile_is_known(const char *expanded);
/* The next word of an expanded text; NULL at its end. */
const char *makefile_word(const struct makefile *m, const char **text);

#endif
