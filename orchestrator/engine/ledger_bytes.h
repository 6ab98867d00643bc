#ifndef KILN_ENGINE_LEDGER_BYTES_H
#define KILN_ENGINE_LEDGER_BYTES_H

#include "base/buf.h"
#include "plan/plan.h"
#include "store/place.h"

/*
 * What a stage's key is made of, as bytes to be compared: everything that inputs_key() looks at, and nothing
 * else. The same bytes have the same key.
 */
enum { LEDGER_BYTES_MOST = 64 << 20 };

struct ledger_bytes {
	struct buf text;
	const struct action_env *env; /* whose digest is known */
	struct digest env_digest;
};

void ledger_bytes_init(struct ledger_bytes *bytes);
void ledger_bytes_deinit(struct ledger_bytes *bytes);
/* Those of a node whose inputs are placed so. False: they are too many. */
bool ledger_bytes_make(struct ledger_bytes *bytes, const struct plan *plan, size_t at,
                       const struct placement *placements);

#endif
