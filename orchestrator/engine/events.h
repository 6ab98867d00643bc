#ifndef KILN_ENGINE_EVENTS_H
#define KILN_ENGINE_EVENTS_H

#include <stdint.h>

#include "base/digest.h"
#include "base/str.h"
#include "plan/plan.h"

struct engine_node;

/* What happens while a plan is carried out, for whoever shows or records it. */
enum event_kind {
	EVENT_BEGIN,   /* counts are known */
	EVENT_START,   /* a stage runs */
	EVENT_WAIT,    /* another process runs the same, or `why`: it is waited for */
	EVENT_AGAIN,   /* it failed for a cause outside the stage, `why`, and is run again */
	EVENT_NOTE,    /* something of a stage that people should know: `why` */
	EVENT_CACHED,  /* its result was known */
	EVENT_DONE,    /* it ran and is kept */
	EVENT_FAILED,  /* it ran and failed */
	EVENT_SKIPPED, /* something it needs failed, or the run was ended */
	EVENT_TICK,    /* time passed: four times a second while something runs; or a signal came */
	EVENT_END,
};

struct event {
	enum event_kind kind;
	const struct plan *plan;
	const struct plan_node *node; /* NULL for BEGIN, TICK, END */
	int64_t wall_us;              /* DONE, FAILED, CACHED: how long it took (once) */
	struct digest action;         /* DONE, FAILED, CACHED, START */
	int exit_code;                /* FAILED */
	const char *why;              /* FAILED, WAIT, AGAIN, NOTE: one line, or NULL */
	const char *tail;             /* FAILED: the last lines of its log */
	size_t n_done, n_cached, n_running, n_failed, n_left; /* stages, after this event */
	/* BEGIN, TICK: what history says, or nothing. */
	int64_t left_us;                  /* until all is done; -1: not known */
	const struct plan_node *critical; /* what runs and the end waits for; NULL: nothing runs */
	const struct engine_node *nodes;  /* as plan->nodes; NULL where nobody keeps them */
};

struct event_sink {
	void (*event)(struct event_sink *sink, const struct event *event);
};

#endif
