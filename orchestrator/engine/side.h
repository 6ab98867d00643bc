#ifndef KILN_ENGINE_SIDE_H
#define KILN_ENGINE_SIDE_H

#include "engine/engine.h"

/*
 * One side of an explanation: an action with its inputs, each by where it came from. Out of a plan, or
 * out of the store, which keeps beside an action what was known when it was made (schema
 * "kiln.origins/1"):
 *   {"premises": HEX, "inputs": [{"at", "kind", "id", "path", "action": HEX of a stage's}]}
 */
enum origin {
	ORIGIN_LEAF,  /* id: the source */
	ORIGIN_STAGE, /* id: its address; action: what it ran as, none where that is not known yet */
	ORIGIN_PROFILE, /* id: its address; the lock pins what it would make */
	ORIGIN_TEXT,    /* the recipe has its content */
};

struct side_input {
	const char *at; /* tree path in the work folder */
	enum origin kind;
	const char *id, *path; /* path: in the source, or of the output */
	struct digest action;
	bool known; /* node is filled in */
	struct tree_node node;
};

struct side {
	struct action action;
	struct side_input *inputs;
	size_t n_inputs;
	bool has_origins;       /* false: only the action is known */
	struct digest premises; /* document of what toolchains, options and facts said; or none */
};

struct side_source {
	struct arena *arena;
	struct blobs *blobs;
	struct store *store;
	const struct plan *plan;
	const struct facts *facts;
	const struct engine_node *nodes;
	struct digest premises;
};

/* What is kept beside a node's action, once that is known. */
int side_keep(struct store *store, const char *kept, const struct plan *plan,
              const struct engine_node *nodes, size_t at, const struct digest *premises,
              struct err *err);
/* A node of a plan, looked up (a dry run) or run: what waits for another stage is not `known`. */
int side_of_node(const struct side_source *source, size_t at, struct side *ret, struct err *err);
/* Whether a node's input is the output of a stage that is still to run; *ret is then filled in. */
bool side_waits(const struct side_source *source, size_t at, size_t i, struct side_input *ret);
/* An action that stood under an address. Returns 0, or STORE_MISS where its document is not kept. */
int side_of_action(const struct side_source *source, const char *kept, const struct digest *action,
                   struct side *ret, struct err *err);

#endif
