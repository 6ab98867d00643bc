#ifndef KILN_RECIPE_WORLD_H
#define KILN_RECIPE_WORLD_H

#include "recipe/state.h"

/*
 * Values that a recipe reads from the world: the version that git's tags say, the text of a file, an
 * option of the command line. Each is recorded in the document ("facts", "files", "options"), so that
 * it enters the provenance and a rebuild can replay it.
 */

/* Adds git_version, read and option to the table on top. */
void world_open(lua_State *L);
/* After the recipe has run: what --set named and nobody asked for is ERR_USAGE. */
int world_finish(struct recipe_state *state, struct err *err);

#endif
