#ifndef KILN_FAKES_FIXTURE_H
#define KILN_FAKES_FIXTURE_H

/*
 * What tests of the planning core share: a recipe document written as short JSON with single
 * quotes, facts made of nothing, and readable pictures of what stages lower to. Nothing here
 * touches the disk.
 */
#include "unit/support.h"

#include "base/arena.h"
#include "model/facts.h"
#include "model/recipe_doc.h"
#include "plan/plan.h"

/* The JSON of a text with ' for "; a new reference. Text that is no JSON fails the test. */
json_t *fixture_json(const char *text);

struct fixture {
	struct arena *arena;
	json_t *documents;    /* all that were loaded: plans and recipes borrow from theirs */
	struct recipe recipe; /* of the last one */
	struct facts facts;
	struct plan *plan; /* of the last fixture_plan */
	struct err err;    /* of the last call that may fail */
};

/* Facts: epoch 1735689600, amd64, the image "trixie" with the compiler "clang 19". */
void fixture_init(struct fixture *f);
void fixture_deinit(struct fixture *f);

/* Reads a document; one that is refused fails the test. */
void fixture_load(struct fixture *f, const char *text);
/* The same out of members: a JSON list of stages (may be NULL) and further members ("", "'a':1"). */
void fixture_load_parts(struct fixture *f, const char *stages, const char *more);

/*
 * A whole pipeline of one target "t", in few stages: plain, pgo and pgo+bolt (which ships), with
 * training, merging, holdout, smoke tests and an archive of each variant; two profiles, of which
 * the second stands on the first and may be sampled. Its leaves "source" and "work" become facts.
 */
void fixture_pipeline(struct fixture *f);

/* Adds or replaces facts; `seed` makes the digest. */
void fixture_leaf(struct fixture *f, const char *id, const char *seed);
void fixture_image(struct fixture *f, const char *name, const char *seed, const char *compiler);
void fixture_pin(struct fixture *f, const char *profile, const char *seed,
                 const struct digest *identity);
/* Pins every profile for what is there now, and a verdict that was reached on it: of the pipeline's
 * pgo+bolt, whose case "one" printed fixture_digest("printed"). Returns it, to be changed. */
json_t *fixture_verdict(struct fixture *f, const char *triple);

struct digest fixture_digest(const char *seed);

/* Plans into f->plan; the error goes to f->err. */
int fixture_plan(struct fixture *f, const struct plan_request *request);
/* Plans a build of everything; a refusal fails the test. */
void fixture_must_plan(struct fixture *f);

/* The index of a node, which must be there; whether it is wanted. */
size_t fixture_node(const struct fixture *f, const char *address);
bool fixture_wants(const struct fixture *f, const char *address);
/* The addresses of wanted nodes, in order, pinned ones in (), joined by spaces; in the arena. */
const char *fixture_order(const struct fixture *f);

/*
 * A lowered stage as lines: "argv …", "env A=b", "in at <- leaf:path", "out path", "reject …", and
 * one line of what else is said. Arguments of several lines are "{script}".
 */
void fixture_show(const struct stage_lowered *lowered, struct buf *text);

#endif
