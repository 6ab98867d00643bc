#ifndef KILN_RECIPE_VALUES_H
#define KILN_RECIPE_VALUES_H

#include <lua.h>

#include "recipe/state.h"

/* Lua values as JSON and back. References to stages and leaves are userdata in Lua. */

/* What cannot be converted. */
struct values_fault {
	char part[200]; /* "argv[2]", or empty */
	char text[160];
};

/*
 * Converts the value at an index. Lists are arrays, tables of names are objects with sorted keys,
 * references are {"$stage" or "$leaf", "path"}. Raw access only, raises nothing, allocates nothing
 * in Lua.
 */
int values_to_json(lua_State *L, int index, json_t **ret, struct values_fault *ret_fault);
/* Pushes a JSON value as Lua tables. May raise; owns nothing. */
void values_push(lua_State *L, const json_t *json);

/* Pushes a reference; `kind` is "stage" or "leaf". `values` (index or 0) is a table whose members
 * are read through it. */
void values_push_ref(lua_State *L, bool leaf, const char *id, const char *path, int values);
/* Installs the references' methods. */
void values_open(lua_State *L);

#endif
