#ifndef KILN_RECIPE_DECLARE_H
#define KILN_RECIPE_DECLARE_H

#include "recipe/state.h"

/*
 * The inner halves of what a recipe declares: the table at an index of Lua's stack becomes a
 * checked part of the document. None raises.
 */
int declare_stage(struct recipe_state *state, const char *kind, int index, const char **ret_address,
                  struct err *err);
int declare_leaf(struct recipe_state *state, const char *id, int index, struct err *err);
/* `what`: "target", "profile", "smoke", "test", "image", "workload_data" or "artefact". */
int declare_item(struct recipe_state *state, const char *what, int index, struct err *err);
/* The header: name, version, license, … */
int declare_recipe(struct recipe_state *state, int index, struct err *err);
/* Fails at an object's place, or at one of its fields there; field and note may be NULL. */
int declare_refuse(struct recipe_state *state, const json_t *object, const char *field,
                   const char *note, struct err *err, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));

#endif
