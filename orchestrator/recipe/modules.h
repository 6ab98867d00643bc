#ifndef KILN_RECIPE_MODULES_H
#define KILN_RECIPE_MODULES_H

#include "recipe/state.h"

/*
 * `require "kiln.x"` finds the embedded library's recipes/lib/x.lua, then a file of the project:
 * beside the recipe, then below the project's root. Everything here may raise.
 */
void modules_open(lua_State *L);
/* Makes the names of the embedded library's prelude global. */
void modules_load_prelude(lua_State *L);
/* Pushes a project file as a function. */
void modules_load_file(lua_State *L, const char *path);
/* kiln.entry(function): the function as the prelude's are, called through C. */
int modules_entry(lua_State *L);

#endif
