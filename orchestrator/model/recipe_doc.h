#ifndef KILN_MODEL_RECIPE_DOC_H
#define KILN_MODEL_RECIPE_DOC_H

#include "base/arena.h"
#include "external/json.h"
#include "model/stage.h"

/*
 * What a recipe says, as data (schema "kiln.recipe/1"): the only thing that Lua leaves behind.
 * Everything borrows from the document or lies in the arena; both must outlive it.
 */
struct recipe_leaf {
	const char *id;
	const json_t *spec; /* kind, where, and the fetcher's fields */
};

struct recipe_target {
	const char *triple, *toolchain, *image, *ship, *reference, *where;
	const char *path; /* PATH of its stages: folders of the image */
	const char **variants;
	size_t n_variants;
};

/* A profile that may be pinned in place of running what makes it. */
struct recipe_profile {
	const char *id, *target, *kind; /* kind: "pgo", "bolt" */
	struct ref from;
	struct ref sampled;  /* the same profile taken by sampling; id NULL: there is no such way */
	const json_t *flags; /* strings that change what the profile fits to */
	const json_t *sources; /* leaf ids */
	const char *after;     /* profile id that it stands on, or NULL */
	struct ref unseen; /* what held-out runs do that it never saw; id NULL: nothing says it */
};

struct recipe_smoke {
	const char *target, *variant, *stage;
};

/* A variant's stage that runs the project's own tests over what ships. */
struct recipe_test {
	const char *target, *variant, *stage;
};

struct recipe_artefact {
	const char *target, *variant, *kind, *name, *media_type;
	struct ref from;
};

/* A container of the recipe's own: another one with more packages. */
struct recipe_image {
	const char *name, *base, *where;
	const json_t *packages; /* texts */
};

/* What a run of the program is given to work on. */
struct recipe_data {
	const char *where; /* the run's place */
	const char *path;  /* as the recipe calls it */
	bool held;         /* of a held-out run; else of a training run */
	struct ref from;   /* of a leaf */
	bool shared;       /* no data: both lists may have it */
};

/* So many stages of a pool run at once. */
struct recipe_pool {
	const char *name;
	size_t places;
};

/* A value that may wait for a leaf's fact: text, or {"$fact": leaf, "field": name}. */
struct recipe_value {
	const char *text; /* NULL while it waits */
	const char *leaf, *field;
};

struct recipe {
	const json_t *document;
	const char *name, *summary, *homepage;
	struct recipe_value version, license, date;
	struct recipe_leaf *leaves;
	size_t n_leaves;
	struct recipe_target *targets;
	size_t n_targets;
	struct stage *stages;
	size_t n_stages;
	struct recipe_profile *profiles;
	size_t n_profiles;
	struct recipe_smoke *smokes;
	size_t n_smokes;
	struct recipe_test *tests;
	size_t n_tests;
	struct recipe_image *images;
	size_t n_images;
	struct recipe_data *data;
	size_t n_data;
	struct recipe_artefact *artefacts;
	size_t n_artefacts;
	struct recipe_pool *pools;
	size_t n_pools;
};

/* Reads the document. What is missing or mistyped is ERR_INPUT. */
int recipe_read(struct arena *arena, const json_t *document, struct recipe *ret, struct err *err);
/* Fills a waiting value out of a leaf's fact object. */
int recipe_value_fill(struct recipe_value *value, const char *name, const json_t *leaf_facts,
                      struct arena *arena, struct err *err);
const struct recipe_target *recipe_find_target(const struct recipe *recipe, const char *triple);
/*
 * What a profile is called among those of its target: its id behind "TARGET/" ("pgo", "bolt-tool").
 * The lock files it under this name.
 */
const char *recipe_profile_slot(const struct recipe_profile *profile);
/* How its file is called behind the target's name: "" or "-WHICH", and ".profdata" or ".fdata"; in
 * the arena. Different slots of a target have different ends. */
const char *recipe_profile_end(struct arena *arena, const struct recipe_profile *profile);

#endif
