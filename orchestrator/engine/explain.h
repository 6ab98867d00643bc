#ifndef KILN_ENGINE_EXPLAIN_H
#define KILN_ENGINE_EXPLAIN_H

#include "engine/change.h"
#include "engine/engine.h"
#include "external/json.h"

/*
 * Why a stage runs, or last ran: what it is made of, against what it was made of the time before, down
 * to the file, argument or variable that changed, through every stage in between. Nothing of that is
 * guessed: both actions are kept in the store, with where each of their inputs came from. What an
 * argument comes of (engine/cause.h) is what changed in the same way.
 */
enum explained {
	EXPLAIN_PINNED,    /* the lock has what it makes */
	EXPLAIN_CACHED,    /* its result is there: the changes say why it last ran */
	EXPLAIN_RUNS,      /* the changes say why it will */
	EXPLAIN_MAY_RUN,   /* … if what it takes, which is made anew, comes out otherwise */
	EXPLAIN_OTHERWISE, /* a stage on the way: why its output is another one */
};

enum reason {
	REASON_CHANGED, /* `changes` */
	REASON_NEVER,   /* no earlier run under this address is known */
	REASON_LOST,    /* nothing changed, but its result is not whole in the store any more */
	REASON_FAILED,  /* nothing changed since it failed */
	REASON_AGAIN,   /* nothing changed, but another run of the same gave other bytes */
	REASON_UNKNOWN, /* the earlier action is not kept any more */
};

struct explanation {
	const char *address;
	enum explained state;
	enum reason reason;
	int64_t since_us; /* wall clock, when what it is compared with ran; 0: not known */
	bool found_again; /* CACHED: it was made before what it is compared with */
	bool open;        /* being found out */
	struct changes changes;
	uint32_t equal; /* bits by kind of change: compared and found equal; with REASON_CHANGED */
};

struct explain_request {
	const struct plan *plan;
	const struct facts *facts;
	struct store *store;
	const char *recipe;              /* as in engine_request */
	const struct engine_node *nodes; /* of a dry run of the same plan */
	struct digest premises;          /* as in engine_request */
	/* The packages of an image, [{"name", "version", "architecture"}], a new reference; NULL where
	 * they are not known. */
	json_t *(*packages)(void *data, const struct digest *image);
	void *data;
};

/*
 * Explains wanted nodes: those for which `which` is true, NULL for all. ret[i] is node i's, or NULL.
 * Everything lies in the arena.
 */
int explain(struct arena *arena, const struct explain_request *request, const bool *which,
            const struct explanation **ret, struct err *err);

#endif
