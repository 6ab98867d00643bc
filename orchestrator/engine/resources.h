#ifndef KILN_ENGINE_RESOURCES_H
#define KILN_ENGINE_RESOURCES_H

#include "engine/engine.h"

/*
 * What runs takes of what there is: processors, memory, places in pools, tokens of the job server. A
 * stage starts when all it needs is free; none of it is ever part of what the stage's work is.
 */
struct resources {
	const struct plan *plan;
	int jobs;         /* processors that stages may keep busy */
	int64_t memory;   /* bytes that they may say they need at once; 0: any number */
	int cpus;         /* … that are kept busy now */
	int64_t promised; /* … that are promised now */
	size_t running;
	bool exclusive; /* what runs, runs alone */
	size_t *pooled; /* by pool: how many run in it */
};

void resources_init(struct resources *r, struct arena *arena, const struct plan *plan, int jobs,
                    int64_t memory);
enum resources_fit {
	RESOURCES_FREE,
	RESOURCES_BUSY,   /* when something else has ended */
	RESOURCES_TOKENS, /* when some of the `lent` tokens are back */
	RESOURCES_POOL,   /* when something in its pool has ended; others may go before it */
};
/* Whether a node may start beside what runs. One that is alone may always. */
enum resources_fit resources_fit(const struct resources *r, size_t at, int lent);
void resources_take(struct resources *r, size_t at);
void resources_give(struct resources *r, size_t at);
/* Tokens that the job server may offer and lend beside what runs. */
int resources_tokens(const struct resources *r);
/* How many stages run at once at most: one more than the processors, at the lowest priority, fills what
 * the others leave idle; with one processor it is one. */
size_t resources_slots(int jobs);

#endif
