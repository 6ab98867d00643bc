#ifndef KILN_ENGINE_LEDGER_H
#define KILN_ENGINE_LEDGER_H

#include "plan/plan.h"
#include "store/place.h"
#include "store/store.h"

struct engine_node;

/*
 * What the last run of the same command found out about each stage: of which bytes its key was made, and
 * the result. A stage that would be made of the same bytes again has the same key, so it need not be
 * composed, encoded and hashed anew; and as long as the store's generation (snapshot/snapshot.h) is the
 * one that it was, its result is still what it was, and need not be looked up. That its content is there
 * is looked at all the same. It is what makes a run after an edit of one source among 100,000 cheap.
 *
 * STORE/snapshots/NAME.ledger ("kilnldg1"; snapshot/kept.h): generation, time, and for each stage its
 * address and what is above. After a run that changed few of them, NAME.ledger-changes ("kilnldc1"):
 * generation, that of the ledger that they change, and these stages, so that what an edit costs does not
 * grow with the graph. It spares work and never decides: none, or a strange one, is as good.
 */
struct ledger;

/* Reads the one of that key. Never NULL; the store outlives it. */
struct ledger *ledger_new(struct store *store, const struct buf *key);
struct ledger *ledger_free(struct ledger *ledger);

/* Whether the store is as that run left it, not long ago: what it found there, nobody has taken away. */
bool ledger_holds(struct ledger *ledger);

/* Before a run: finds the records of a plan's nodes. What they say of the last run is filled in. */
void ledger_begin(struct ledger *ledger, const struct plan *plan, struct engine_node *nodes);
/* Whether it knows the last run of every wanted node. */
bool ledger_knows_all(const struct ledger *ledger);

/* A key by what it is made of, the node's inputs as they are placed. False: it is to be made. */
bool ledger_key(struct ledger *ledger, size_t at, const struct placement *placements,
                struct blob_ref *ret_action);
/* The result of a node whose key it just gave, all its content there; in the arena. Returns 0 or STORE_MISS. */
int ledger_result(struct ledger *ledger, size_t at, struct arena *arena, const struct result **ret,
                  struct err *err);

/*
 * After a run in which every wanted node got its result: keeps what is known now, where that is more than
 * what it has. `find` gives the placements of a node again.
 */
typedef int (*ledger_find_fn)(void *data, size_t at, struct arena *arena,
                              struct placement *placements, struct err *err);
void ledger_end(struct ledger *ledger, const struct engine_node *nodes, ledger_find_fn find,
                void *data);

#endif
