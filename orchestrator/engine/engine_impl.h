#ifndef KILN_ENGINE_ENGINE_IMPL_H
#define KILN_ENGINE_ENGINE_IMPL_H

#include "base/map.h"
#include "engine/engine.h"

/* What the engine's files share: the run in progress, and moves between the states of its nodes. */
struct engine {
	struct arena *arena;
	const struct engine_request *request;
	const struct plan *plan;
	struct engine_node *nodes;
	struct engine_result *result;
	size_t *ready; /* heap-free: few are ready at once; sorted when one starts */
	size_t n_ready, n_running, n_left;
	size_t *running;
	size_t *fresh, n_fresh;         /* inputs are there, key not made yet */
	size_t n_twins;                 /* ready nodes that wait for another one's action */
	size_t *elsewhere, n_elsewhere; /* ready nodes whose action another process runs */
	int *claims;                    /* by node; -1: none */
	struct map *by_action;          /* running or done in this run: action digest → node + 1 */
	bool stopping;                  /* nothing new starts */
	bool cancelled;
	int64_t started_us, next_tick_us;
	struct err first; /* of the first failed stage */
};

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
/* Its result was known: from now on it is what the address means. */
int engine_finish_cached(struct engine *e, size_t at, const struct result *result, struct err *err);
/* After a failure nothing of it starts, and with fail_fast nothing goes on. */
void engine_on_first_failure(struct engine *e);
/* Gives every node whose inputs have come its key: found in the store it is done, else READY. */
int engine_make_fresh_ready(struct engine *e, struct err *err);

#endif
