#ifndef KILN_RECIPE_API_H
#define KILN_RECIPE_API_H

#include "recipe/state.h"

/*
 * What recipes and the library call: `stage.KIND`, and the table `kiln` (leaf, target, profile, smoke,
 * artefact, recipe, toolchain, triple, stat, where, fail, nearest, entry).
 */
void api_open(lua_State *L);

#endif
