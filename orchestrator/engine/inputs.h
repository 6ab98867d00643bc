#ifndef KILN_ENGINE_INPUTS_H
#define KILN_ENGINE_INPUTS_H

#include "engine/engine.h"
#include "engine/ledger.h"
#include "store/place.h"

/*
 * Looks up every path of a source that a wanted node takes whose key is not made yet, so that a misspelt one
 * is told before anything has run (ERR_INPUT with the stage's place and the nearest name).
 */
int inputs_check(struct blobs *blobs, const struct plan *plan, const struct facts *facts,
                 const struct engine_node *nodes, struct err *err);
/* One input of a node: where it is placed and what it is. An output that lacks the path is ERR_STAGE. */
int inputs_find(struct blobs *blobs, struct arena *arena, const struct plan *plan,
                const struct facts *facts, const struct engine_node *nodes,
                const struct plan_node *node, size_t i, struct placement *ret, struct err *err);
/* Whether all content of the sources that a node takes is in the store. Returns 0 or STORE_MISS. */
int inputs_are_there(struct store *store, const struct plan *plan, const struct facts *facts,
                     const struct plan_node *node, struct err *err);
/*
 * The key of a node whose inputs are known: composes its input root, encodes the action, puts
 * its bytes: into blobs_unkept where only the key is asked for. A leaf that lacks the named path is ERR_INPUT with the stage's place; an output
 * of another stage that lacks it is ERR_STAGE: this one fails. A ledger (NULL: there is none) may know it.
 */
int inputs_key(struct blobs *blobs, const struct plan *plan, const struct facts *facts,
               const struct engine_node *nodes, size_t at, struct ledger *ledger,
               struct blob_ref *ret_action, struct err *err);

#endif
