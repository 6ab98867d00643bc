#ifndef KILN_ENGINE_ENGINE_IMPL_H
#define KILN_ENGINE_ENGINE_IMPL_H

#include "base/map.h"
#include "engine/engine.h"
#include "engine/ready.h"
#include "engine/resources.h"

/* What the engine's files share: the run in progress, and moves between the states of its nodes. */
struct engine {
	struct arena *arena;
	const struct engine_request *request;
	const struct plan *plan;
	struct engine_node *nodes;
	struct engine_result *result;
	struct blobs *unkept; /* the store's, for keys alone */
	struct ready ready;
	struct resources resources;
	size_t n_left;
	size_t *running;        /* resources.running of them */
	struct ready *pooled;   /* by pool: ready, but the pool was full */
	size_t *again, n_again; /* to be run again at their ready_us */
	size_t waits_outside;   /* a ready node + 1 that other kilns keep waiting, told */
	bool outside;           /* … now */
	size_t *fresh, n_fresh; /* inputs are there, key not made yet */
	size_t *keyed;          /* those whose key was just made, with room for every node */
	size_t n_twins;         /* ready nodes that wait for another one's action */
	size_t *elsewhere, n_elsewhere; /* ready nodes whose action another process runs */
	bool *claimed;                  /* by node */
	struct map *by_action;          /* running or done in this run: action digest → node + 1 */
	bool taken;                     /* sources, again, with their content */
	bool checked;                   /* the paths of sources that stages take are all there */
	bool stopping;                  /* nothing new starts */
	bool cancelled;
	int64_t started_us, next_tick_us;
	struct err first;  /* of the first failed stage */
	struct err broken; /* of the first one that could not be run to its end */
};

/* ---- schedule.c ---------------------------------------------------------------------------- */

/* Outcome: nothing may start now. */
enum { SCHEDULE_NONE = 1 };

void schedule_init(struct engine *e);
/* Takes the ready node of the highest rank that may start now, out of the ready ones. */
int schedule_take(struct engine *e, size_t *ret_at, struct err *err);
void schedule_started(struct engine *e, size_t at);
/* It was taken, and is not to be run here after all: what it was given is free again. */
void schedule_passed(struct engine *e, size_t at);
void schedule_ended(struct engine *e, size_t at);
/* It is to be run again, after a while. */
void schedule_again(struct engine *e, size_t at);
/* Those whose time has come are ready. */
void schedule_wake(struct engine *e);
/* Offers what the job server has left to those who run. */
void schedule_share(struct engine *e);

/* ---- elsewhere.c --------------------------------------------------------------------------- */

/* Claims a node's action. Returns 0: it is to be run here; 1: it is not, or not now. */
int engine_claim(struct engine *e, size_t at, struct err *err);
void engine_release_claim(struct engine *e, size_t at);
/* What another process ran is there now, or it gave up and the node is ready to run here. */
int engine_look_elsewhere(struct engine *e, struct err *err);
/* Nodes that waited for the same action in this run have it too, or will not get it either. */
int engine_finish_twins(struct engine *e, size_t of, struct err *err);
void engine_skip_twins(struct engine *e, size_t of);

/* ---- sources.c ----------------------------------------------------------------------------- */

/* Each path of a source that a stage takes is there. Before anything runs: keys that are made only then would
 * tell it later. */
int engine_check_sources(struct engine *e, struct err *err);
/* The content of the sources that a node takes is in the store, before it starts. */
int engine_bring_sources(struct engine *e, size_t at, struct err *err);

/* ---- results.c ----------------------------------------------------------------------------- */

/* Whether a node is built by increments in this run. */
bool engine_is_dev(const struct engine *e, size_t at);
/* Its result as it is known, in the run's arena: of its action, or, by increments, of its own. Returns 0 or
 * STORE_MISS. */
int engine_get_result(struct engine *e, size_t at, const struct result **ret, struct err *err);
int engine_put_result(struct engine *e, size_t at, struct result *result, struct err *err);
int engine_put_failure(struct engine *e, size_t at, struct result *result, struct err *err);

/* ---- states.c ------------------------------------------------------------------------------ */

/* What the store knows a node's stage by: addresses are unique within a recipe only. */
const char *engine_kept(const struct engine *e, size_t at);
/* Tells every sink; fills in the counts. */
void engine_emit(struct engine *e, enum event_kind kind, const struct plan_node *node,
                 struct event *event);

void engine_skip(struct engine *e, size_t at);
/* Skips what needs a failed or skipped node: one pass in order, so every dep is judged first. */
void engine_skip_dependants(struct engine *e);
/* Nodes whose last input has come are queued, not entered: a chain may be as long as the plan. */
void engine_release_users(struct engine *e, size_t at);
/* DONE or CACHED: counted, told, and its users are one input nearer. */
void engine_finish(struct engine *e, size_t at, enum node_state state, int64_t wall_us);
/* What `explain` compares with later. */
int engine_keep_origins(struct engine *e, size_t at, struct err *err);
/* Its result was known, and lies in the run's arena: from now on it is what the address means. */
int engine_finish_cached(struct engine *e, size_t at, const struct result *result, struct err *err);
/* After a failure nothing of it starts, and with fail_fast nothing goes on. */
void engine_on_first_failure(struct engine *e);
/* Gives every node whose inputs have come its key: found in the store it is done, else READY. */
int engine_make_fresh_ready(struct engine *e, struct err *err);

#endif
