#ifndef KILN_SURVEY_CONDITION_H
#define KILN_SURVEY_CONDITION_H

#include "survey/makefile.h"

/*
 * Conditionals of a Makefile (GNU make manual, 7), as make on Linux decides them: ifeq, ifneq, ifdef,
 * ifndef, else, endif. Where what is compared hangs on something that is not evaluated, both branches
 * count. What no line sets is not set: the environment is the user's affair.
 */
enum { CONDITIONS_MOST = 32 };

struct conditions {
	struct {
		bool skips;   /* the present branch is not taken */
		bool decided; /* an earlier one was taken for sure */
	} open[CONDITIONS_MOST];
	size_t depth; /* may be more than there is room for: then they are only counted */
};

/* Whether the line (trimmed, without comment) is such a directive; it is followed then. */
bool condition_follow(struct conditions *c, const struct makefile *m, const char *line);
/* Whether lines here are in a branch that is not taken. */
bool condition_skips(const struct conditions *c);

#endif
