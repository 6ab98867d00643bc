#ifndef KILN_SURVEY_PROGRAMS_H
#define KILN_SURVEY_PROGRAMS_H

#include "survey/makefile.h"
#include "survey/survey.h"

/* The programs that a Makefile makes for its users: those that it installs, else those that its first
 * rule wants, else those that it links. Paths as the Makefile has them; `dir` is its folder. */
void programs_find(struct survey *s, const struct makefile *m, const char *dir,
                   struct survey_words *ret);

#endif
