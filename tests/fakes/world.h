#ifndef KILN_FAKES_WORLD_H
#define KILN_FAKES_WORLD_H

/* An engine with everything around it: a fixture, a real store in a folder, a fake executor, and a
 * sink that writes down what happens. */
#include "engine/engine.h"
#include "fakes/executor.h"
#include "fakes/fixture.h"

struct world {
	struct fixture f;
	char *dir;
	struct store *store;
	struct fake_executor fake;
	struct event_sink sink; /* writes "start t/v/name\n", … to `events` */
	struct buf events;
	struct event_sink *beside; /* a further one, or NULL */
	struct engine_result result;
	struct err err;
	struct engine_request request; /* jobs 2, all sinks and seams set; change before a run */
	int cancel[2];                 /* a pipe; cancel_when writes to it */
	const char *cancel_when; /* an event's line that cancels the run, without its newline */
	size_t n_events;
	bool broken_counts; /* an event whose numbers cannot be */
};

void world_init(struct world *w);
void world_deinit(struct world *w);
/* A test's own, as cmocka wants them. */
int world_setup(void **state);
int world_teardown(void **state);
/* A source whose tree is in the store: one file "text" of that content. */
void world_leaf(struct world *w, const char *id, const char *text);
/* The pipeline with both of its sources, and a plan to build it. */
void world_pipeline(struct world *w);
/* Plans until the addresses (one glob, NULL for what ships). */
void world_plan(struct world *w, const char *until);
/* Runs the plan anew: the log of the executor and the events are of this run. */
int world_run(struct world *w);
/* The same; a failure of the run fails the test. */
void world_must_run(struct world *w);

/* The first output of a stage that ran goes from the store. */
void world_lose_output(struct world *w, const char *address);

enum node_state world_state(const struct world *w, const char *address);
const struct engine_node *world_node(const struct world *w, const char *address);
/* The position of an address in the executor's log; one that never ran fails the test. */
size_t world_ran_at(const struct world *w, const char *address);
bool world_ran(const struct world *w, const char *address);

#endif
