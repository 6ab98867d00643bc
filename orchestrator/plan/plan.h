#ifndef KILN_PLAN_PLAN_H
#define KILN_PLAN_PLAN_H

#include "base/arena.h"
#include "model/facts.h"
#include "model/recipe_doc.h"

/*
 * A plan: which stages run, on what, for which goals. A pure function of the recipe and the facts:
 * nothing is read, run or looked up here, and a plan never grows while it is carried out.
 */
struct plan_input {
	const char *at;
	struct ref from;
	size_t node; /* REF_STAGE: index of the node */
};

/* Stages that may not all run at once, whatever the machine has. */
struct plan_pool {
	const char *name;
	size_t places;
};
#define PLAN_NO_POOL UINT32_MAX

/* There may be 100,000 of them. */
struct plan_node {
	const struct stage *stage;
	const struct stage_lowered *lowered;
	struct action_env *env;     /* all of its environment */
	const struct digest *image; /* NULL: a builtin's */
	struct plan_input *inputs;  /* lowered->inputs, resolved */
	size_t *deps;               /* distinct nodes whose outputs it takes */
	size_t *users;              /* wanted nodes that take its outputs */
	uint32_t n_env, n_inputs, n_deps, n_users;
	uint32_t pool; /* in plan->pools, or PLAN_NO_POOL */
	bool wanted;
	bool pinned;                 /* stands for content the lock has; never runs */
	const struct tree_node *pin; /* … which is the output that the profile names */
	const char *pin_path;
};

/* Something the plan is carried out for. */
struct plan_goal {
	size_t node;
	const char *path;                       /* output of the node, "" for the stage itself */
	const struct recipe_artefact *artefact; /* or NULL */
	const struct recipe_smoke *smoke;       /* or NULL */
	const struct recipe_test *test;         /* or NULL */
	const struct recipe_profile *profile;   /* or NULL */
	const struct recipe_profile *unseen;    /* what it never saw is asked for; or NULL */
};

/* What became of each profile of the recipe that the plan wants. */
enum profile_state { PROFILE_PINNED, PROFILE_TRAINED, PROFILE_MISMATCH };

struct plan_profile {
	const struct recipe_profile *profile;
	struct ref from;          /* what makes it here: by instrumentation, or sampled */
	enum profile_state state; /* MISMATCH: pinned for something else, so trained anew */
	bool identity_known;      /* false while the profile it stands on is still to be trained */
	struct digest identity;
	struct digest maker; /* how the program is made that it describes */
	size_t node;
};

struct plan {
	struct arena *arena;
	struct plan_node *nodes;
	size_t n_nodes, n_wanted;
	size_t *order; /* wanted nodes, each behind its deps */
	struct plan_goal *goals;
	size_t n_goals;
	struct plan_profile *profiles;
	size_t n_profiles;
	struct plan_pool *pools;
	size_t n_pools;
	struct action_env
		*env; /* what all stages of env_target have; of the one that was met last */
	uint32_t n_env;
	const struct recipe_target *env_target;
	const char *arch;
	const char *round; /* "train", "candidates", "choose", "package" or several */
};

struct plan_request;
/* Whether the targets, the variant and the stages that a request names are in its recipe: before anything
 * is fetched or made for a plan. What is not there is ERR_USAGE, with what is. */
int plan_check_words(const struct plan_request *request, struct err *err);

/* Whether the pools that stages name are the recipe's: ERR_INPUT, as early as the recipe is read. */
int plan_check_pools(const struct recipe *recipe, struct err *err);

enum plan_purpose {
	PLAN_BUILD, /* packages and the smoke test of what ships */
	PLAN_RELEASE, /* that, the project's own tests, and the candidates where no verdict is pinned */
	PLAN_TRAIN, /* the profiles, made anew whatever the lock says */
};

struct plan_request {
	enum plan_purpose purpose;
	const struct recipe *recipe;
	const struct facts *facts;
	const char *const *targets; /* globs, NULL-ended; NULL: all */
	const char *variant;        /* only this variant's packages; NULL: what ships */
	bool unseen;              /* what training never saw is measured for pinned profiles too */
	const char *const *until; /* stage addresses (globs, shortest unique form), NULL-ended */
};

/*
 * Makes a plan; everything lies in `arena`, or in the recipe and facts, which must outlive it.
 * Refused (ERR_INPUT): unknown stages and leaves, cycles (printed), clashing artefact names,
 * instrumented artefacts. ERR_USAGE: targets, variants and stages that nothing matches.
 */
int plan_build(struct arena *arena, const struct plan_request *request, struct plan **ret,
               struct err *err);

/* A node's action, without its input root. Its arrays are the plan's and the lowered stage's, and encoding it
 * sorts them in place: nothing may depend on their order. */
struct action plan_action(const struct plan *plan, const struct plan_node *node);

/*
 * The verdict that the lock pins for a target, when it still holds: reached on the same sources,
 * with all profiles pinned, and with the outputs of what ships. Else NULL: every candidate is then
 * built and tested anew. With one, the smoke test of each variant that it has digests for compares
 * with those instead of a reference's output.
 */
const json_t *plan_verdict(const struct plan *plan, const struct facts *facts, const char *triple);
/* What a verdict reached now was reached on: leaf → content. A new reference. */
json_t *plan_verdict_inputs(const struct facts *facts);

/* The stage that an address as people type it means: globs, or a unique suffix or part of it.
 * ERR_USAGE where none or several match (they are listed). */
int plan_find_stage(const struct stage *stages, size_t n, const char *typed,
                    const struct stage **ret, struct err *err);
/* Whether an address as typed matches a stage. */
bool plan_address_matches(const char *typed, const char *address);

#endif
