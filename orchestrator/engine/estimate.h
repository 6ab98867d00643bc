#ifndef KILN_ENGINE_ESTIMATE_H
#define KILN_ENGINE_ESTIMATE_H

#include "engine/engine.h"

/* Looks up the last run of every wanted node under its address of that recipe: how long it took as its
 * estimate, -1 where it never ran; of many, its `last` action too. */
int estimate_look(struct store *store, const struct plan *plan, const char *recipe,
                  struct engine_node *nodes, struct err *err);
/* Fills estimate and rank of every wanted node: how long it takes by its last run, else by its kind, and how
 * long until everything that hangs on it is done. */
void estimate_ranks(const struct plan *plan, struct engine_node *nodes);

/* How long until everything is done, with so many stages at once, and each node's left_us. -1 where
 * something that may be long has no history. *ret_critical: the running node that most hangs on;
 * SIZE_MAX where nothing runs. */
int64_t estimate_left(const struct plan *plan, struct engine_node *nodes, size_t slots,
                      size_t *ret_critical);

/* The last lines of a run's log, of its output where the log is empty; in the arena. NULL: none. */
char *log_tail(struct blobs *blobs, struct arena *arena, const struct result *result);

#endif
