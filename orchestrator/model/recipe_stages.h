#ifndef KILN_MODEL_RECIPE_STAGES_H
#define KILN_MODEL_RECIPE_STAGES_H

#include "base/map.h"
#include "base/str.h"
#include "model/recipe_doc.h"

/*
 * The stages of a recipe, taken one by one as they are declared: there may be 100,000, so what many of
 * them share stands once.
 */
struct recipe_stages {
	struct arena *arena; /* keeps the texts; borrowed */
	struct map *words;   /* targets, variants, kinds, places → the same, in the arena */
	struct stage *list;
	size_t n, room;
};

void recipe_stages_init(struct recipe_stages *stages, struct arena *arena);
/* Keeps copies. *ret, which still needs its options, is good until the next one is added. An address that
 * is not TARGET/VARIANT/NAME is ERR_INPUT. */
int recipe_stages_add(struct recipe_stages *stages, const char *kind, const char *address,
                      const char *where, struct stage **ret, struct err *err);
/* Behind those that a recipe has: it then has all, in its arena. */
void recipe_stages_give(struct recipe_stages *stages, struct recipe *recipe);
void recipe_stages_deinit(struct recipe_stages *stages);

#endif
