#ifndef KILN_RECIPE_BASE_LIB_H
#define KILN_RECIPE_BASE_LIB_H

#include <lua.h>

/*
 * What recipes have of Lua's own libraries: base, table, string and math without what loads code,
 * reaches the world, varies between runs or undoes the sandbox. Fills the hidden table of global
 * names; recipes see it through a read-only one.
 */
void base_lib_open(lua_State *L);
/* Pushes the hidden table of global names. */
void base_lib_globals(lua_State *L);
/* Replaces the table on top by a read-only view that names the nearest member; `name` is for errors. */
void base_lib_protect(lua_State *L, const char *name);

#endif
