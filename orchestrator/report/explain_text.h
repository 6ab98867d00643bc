#ifndef KILN_REPORT_EXPLAIN_TEXT_H
#define KILN_REPORT_EXPLAIN_TEXT_H

#include "engine/explain.h"

/* An explanation for people: what it is about, then a line a change; the stages that it leads to
 * stand below it, each once. */
void explain_text(const struct explanation *e, struct buf *text);
/* The leaf that an explanation comes down to, in a few words ("src/main.c changed"), for a column;
 * NULL where there is nothing to say. In the arena. */
const char *explain_summary(struct arena *arena, const struct explanation *e);
/*
 * The same as JSON, whole (schema "kiln.explain/1"): `stages` begins with the `n` explanations and goes
 * on with those that they lead to; a change's `because` is a place in it, counted from 0.
 */
json_t *explain_json(const struct explanation *const *list, size_t n);

#endif
