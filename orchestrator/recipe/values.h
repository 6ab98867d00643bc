#ifndef KILN_RECIPE_VALUES_H
#define KILN_RECIPE_VALUES_H

#include <lua.h>

#include "recipe/state.h"

/* Lua values as JSON and back. References to stages and leaves are userdata in Lua. */

/*
 * Converts the value at an index. Lists are arrays, tables of names are objects with sorted keys,
 * references are {"$stage" or "$leaf", "path"}. Raw access only, raises nothing, allocates nothing
 * in Lua. On failure `ret_fault` names the part ("argv[2]") and says what is wrong.
 */
int values_to_json(lua_State *L, int index, json_t **ret, char *ret_fault, size_t fault_size);
/* Pushes a JSON value as Lua tables. May raise; owns nothing. */
void values_push(lua_State *L, const json_t *json);

/* Pushes a reference; `kind` is "stage" or "leaf". `values` (index or 0) is a table whose members
 * are read through it. */
void values_push_ref(lua_State *L, bool leaf, const char *id, const char *path, int values);
/* Installs the references' methods. */
void values_open(lua_State *L);

#endif
