#ifndef KILN_SURVEY_LICENSE_H
#define KILN_SURVEY_LICENSE_H

#include "survey/survey.h"

/* Finds the licence files at the root, and the SPDX expression of the first whose words are known
 * (spdx.org/licenses). Whether a GNU licence is "only" or "or later" is said by the sources, not by
 * its own text: they are asked. */
void license_find(struct survey *s);
/* The identifier that a licence's text is known by, or NULL. `later`: of GNU licences the later
 * versions too. */
const char *license_of_text(const char *text, bool later);

#endif
