#ifndef KILN_ENGINE_LEDGER_RECORD_H
#define KILN_ENGINE_LEDGER_RECORD_H

#include "base/arena.h"
#include "model/action.h"
#include "snapshot/kept.h"

/*
 * What a ledger's file says of one stage: its node's number and its address, then what is here, then its
 * result. Whatever is taken may be bad: the file says so (snapshot/kept.h).
 */
struct ledger_record {
	const char *bytes; /* what its key is made of; in the file */
	size_t n_bytes;
	struct blob_ref action;
};

/* Behind an address. False: the file is bad. The result comes next. */
bool ledger_record_take(struct kept *file, struct ledger_record *ret);
/* Its texts go to the arena. */
void ledger_record_take_result(struct kept *file, struct arena *arena, struct result *ret);
/* All of it but the outputs. */
void ledger_record_skip_result(struct kept *file, struct result *ret);

void ledger_record_put(struct kept_writer *writer, size_t at, const char *address,
                       const struct buf *bytes, const struct blob_ref *action,
                       const struct result *result);
/* One that was read: from behind its address to where the file is now. */
void ledger_record_copy(struct kept_writer *writer, size_t at, const char *address,
                        const struct kept *file, size_t from);

#endif
