#ifndef KILN_ENGINE_ENGINE_H
#define KILN_ENGINE_ENGINE_H

#include "engine/events.h"
#include "engine/ledger.h"
#include "exec/executor.h"
#include "host/alone.h"
#include "plan/plan.h"
#include "store/store.h"

/*
 * Carries out a plan: a stage whose inputs are known has a key; a key whose result is in the store
 * is done; everything else runs, the longest path first. Results are recorded as they come, so
 * whatever ends the run, what is complete is kept.
 */
struct engine_request {
	const struct plan *plan;
	const struct facts *facts;
	struct store *store;
	const char *recipe; /* its name: histories of recipes do not mix; may be NULL */
	/* A blob that says what toolchains, options and facts said (engine/cause.h), for those who ask
	 * later why something ran; or none. */
	struct digest premises;
	struct ledger *ledger; /* what the last such run found out; NULL: it is not known */
	/* Where sources were taken in by their stamps alone (store/folder.h): takes them in again, with their
	 * content, which a stage that is to run lacks. NULL: it is there. */
	int (*take_sources)(void *data, struct err *err);
	void *take_sources_data;
	struct executor *executor;
	struct event_sink *const *sinks; /* NULL-ended */
	int jobs;                        /* what -j each stage is told; see resources_slots */
	struct jobserver *jobserver;     /* NULL: stages share by their number alone */
	/* How the programs of an image are told of the job server. */
	enum jobserver_style (*jobs_style)(void *data, const struct digest *image);
	void *jobs_style_data;
	struct alone *alone; /* NULL: other kilns of the machine are not minded */
	int64_t memory;      /* bytes that stages may say they need at once; 0: any number */
	bool keep_going;     /* go on with what does not need a failed stage */
	bool fail_fast;      /* end what runs when one fails */
	bool dev;            /* what can be is built by increments (exec/dev.h), and kept apart */
	bool dry;            /* look into the store only; nothing runs */
	int cancel_fd;       /* readable: end everything; -1: none */
};

/* The state of a node after the run. */
enum node_state {
	NODE_WANT,
	NODE_READY, /* its inputs are known */
	NODE_RUNNING,
	NODE_CACHED,
	NODE_DONE,
	NODE_FAILED,
	NODE_SKIPPED,
	NODE_PINNED,
};

/* What is known of a stage that runs or ran here. */
struct engine_stint {
	int64_t started_us;           /* monotonic, of the last try */
	int tries;                    /* how often it was started */
	int tokens;                   /* of the job server, lent to it as of the last tick */
	int most_tokens;              /* … at once */
	uint64_t bytes_in, bytes_out; /* as in struct exec_completion */
	const char *said; /* its last line, at a tick while it runs; NULL: none is known */
};

/* There may be 100,000 of them, most of which only say that their result is known. */
struct engine_node {
	enum node_state state;
	bool guessed;     /* the estimate is by its kind, and it may be long: it never ran here */
	bool dev;         /* it is, or was, built by increments: its result may not be released */
	uint32_t pending; /* deps that are not done */
	struct digest action; /* once READY */
	uint64_t action_size;
	struct digest last; /* what stood under its address when the run began; none: not known */
	const struct result *result; /* once DONE or CACHED, FAILED where it ran, or it was found */
	int64_t rank;                /* estimated µs from its start to the end of all goals */
	int64_t estimate;            /* µs it takes */
	int64_t left_us;             /* until it is done, as of the last tick; -1: not known */
	int64_t ready_us;            /* monotonic, once READY */
	size_t twin;                 /* a running node with the same action, or itself */
	struct engine_stint *stint;  /* NULL: it was not started */
};

struct engine_result {
	struct engine_node *nodes; /* as plan->nodes; in the arena */
	size_t n_run, n_cached, n_failed, n_skipped;
	int64_t wall_us;
};

/*
 * Returns 0 when every goal is there. ERR_STAGE: a stage failed; ERR_INTERRUPTED: cancelled;
 * ERR_IO and others: Kiln or the machine. *ret is filled in each case. Everything lies in `arena`.
 * A dry run returns 0 whatever is missing: nodes are then CACHED, READY (would run) or WANT (not
 * known until what they take has run); the executor may be NULL.
 */
int engine_run(struct arena *arena, const struct engine_request *request, struct engine_result *ret,
               struct err *err);

/*
 * Keeps what a node's key stands for, its action and how its inputs are laid out. What runs has it; of
 * what is CACHED the store holds it as long as nobody took it away, and a dry run keeps nothing.
 */
int engine_keep_action(struct blobs *blobs, const struct plan *plan, const struct facts *facts,
                       const struct engine_node *nodes, size_t at, struct err *err);

/* The name under which the store keeps a stage's last action and failure. */
const char *engine_kept_under(struct arena *arena, const char *recipe, const char *address);
/* … what became of it where it was built by increments. */
const char *engine_kept_dev(struct arena *arena, const char *recipe, const char *address);

/*
 * The node at an output of a stage ("" is not one): below a declared output, "@stdout" or "@log".
 * Returns 0 or PLACE_MISSING, which it is too where there is no result (NULL).
 */
int engine_output(struct blobs *blobs, struct arena *arena, const struct result *result,
                  const char *path, struct tree_node *ret, struct err *err);

#endif
