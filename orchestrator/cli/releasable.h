#ifndef KILN_CLI_RELEASABLE_H
#define KILN_CLI_RELEASABLE_H

#include "cli/session.h"

/*
 * A release that is no snapshot is a version: a commit with a tag, with nothing beside it, under a
 * known licence. The first is asked as soon as the recipe is read, the second when the sources are
 * there. What is missing is ERR_INPUT and says what to do.
 */
int releasable_recipe(struct session *s, struct err *err);
int releasable_sources(struct session *s, struct err *err);
/* A snapshot is made all the same, after a warning for each of these. */
int releasable_warn(struct session *s, struct err *err);

#endif
