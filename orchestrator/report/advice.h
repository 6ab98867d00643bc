#ifndef KILN_REPORT_ADVICE_H
#define KILN_REPORT_ADVICE_H

#include "base/buf.h"
#include "plan/plan.h"

/*
 * Adds what to try about a failed stage, one line each ("    try      …\n"): what its log and the
 * reason of its failure give away (no network, a header, library or command that the image lacks, a
 * program that was not made, a profile that was not written), then what its kind knows. `why` and
 * `tail` (the last lines of the log, or NULL) are what the stage left behind, uncleaned.
 */
void advice_add(struct buf *text, const struct plan_node *node, const char *why, const char *tail);

#endif
