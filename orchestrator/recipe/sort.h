#ifndef KILN_RECIPE_SORT_H
#define KILN_RECIPE_SORT_H

#include <lua.h>
#include <stdbool.h>

/* Whether the value at stack index a belongs in front of the one at b. May raise. */
typedef bool sort_less(lua_State *L, int a, int b);

/*
 * Sorts items 1 … n of the list at a stack index, raw and stable. The values compared lie on top of the
 * stack; the list itself is replaced at its index.
 */
void sort_list(lua_State *L, int index, lua_Integer n, sort_less *less);
/* table.sort(list[, less]): as Lua's own, but stable, and never with an error of the order. */
int sort_table(lua_State *L);

#endif
