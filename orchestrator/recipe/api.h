#ifndef KILN_RECIPE_API_H
#define KILN_RECIPE_API_H

#include "recipe/state.h"

/*
 * What recipes and the library call: `require`, `stage.KIND`, and the table `kiln` (leaf, target,
 * profile, smoke, artefact, recipe, toolchain, triple, where, fail, nearest, entry).
 */
void api_open(lua_State *L);
/* Makes the names of the embedded library's prelude global. Raises. */
void api_load_prelude(lua_State *L);
/* Pushes a project file as a function. Raises. */
void api_load_project_file(lua_State *L, const char *path);
/* Checks the document as a whole. */
int api_finish(struct recipe_state *state, struct err *err);

#endif
