#ifndef KILN_CLI_VENDOR_H
#define KILN_CLI_VENDOR_H

#include "cli/session.h"
#include "source/source.h"

/*
 * Leaves that a package manager's client fetches, in the image of a target: the one place where
 * something runs with a network.
 */

/* Whether a leaf is fetched in an image: its description names one. */
bool vendor_is(const struct recipe_leaf *leaf);
/* Fills in the request's source and runner; the leaf's source and image are known by now. `runner`
 * lives as long as the request. */
int vendor_fill(struct session *s, const struct recipe_leaf *leaf, struct source_request *request,
                struct source_runner *runner, struct err *err);
/* What came must be what the lock pins: else ERR_INPUT with both digests. */
int vendor_check(struct session *s, const struct recipe_leaf *leaf, const json_t *fact,
                 struct err *err);

#endif
