#ifndef KILN_RECIPE_MANIFEST_H
#define KILN_RECIPE_MANIFEST_H

#include "recipe/state.h"

/*
 * What a Cargo.toml beside the recipe says about its package: name, version, license and programs,
 * with what it inherits from its workspace. A value read from the world, as in recipe/world.h: the
 * files are noted in the document's "files", the answer in its "facts".
 */

/* Adds cargo_manifest to the table on top. */
void manifest_open(lua_State *L);

#endif
