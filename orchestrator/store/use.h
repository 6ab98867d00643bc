#ifndef KILN_STORE_USE_H
#define KILN_STORE_USE_H

#include "store/store.h"

/*
 * When something of the store was last used, in seconds since 1970, for a collection to choose by. It
 * may have been used so much later as USE_EXACT_TO says, and a day where a ledger knew it (engine/ledger.h):
 * what is used all the time writes little.
 */
enum { USE_EXACT_TO = 60 * 60 };

int use_init(struct store *store, struct err *err);
/* Writes what was noted. */
void use_deinit(struct store *store);

/* Notes that something is used now: an action by its digest, all else by a text. `last` is when it was
 * noted before, 0 where that is not known. Written when the store is closed. */
void use_note(struct store *store, const void *what, size_t n, int64_t last);
/* The same of an action that was just run, at once, in the caller's transaction. */
int use_put(struct store *store, const void *what, size_t n, struct err *err);
/* What was noted is not written: a check is no use. */
void use_drop(struct store *store);

#endif
