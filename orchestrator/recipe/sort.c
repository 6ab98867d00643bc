/*
 * Sorting by merging. Lua's own table.sort picks its pivot by the clock, so that what a comparing
 * function sees differs from run to run, and so does the order of what it calls equal. Merging asks the
 * same questions every time, n log n of them whatever the answers are.
 */
#include "recipe/sort.h"

#include <lauxlib.h>
#include <limits.h>

/* Merges items lo … mid and mid … hi (counted from 0) of one list into another. */
static void merge(lua_State *L, int from, int to, const lua_Integer bounds[3], sort_less *less)
{
	lua_Integer i = bounds[0], mid = bounds[1], j = mid, hi = bounds[2];

	for (lua_Integer k = i; k < hi; k++) {
		bool left = i < mid;

		if (left && j < hi) {
			int top = lua_gettop(L);

			lua_rawgeti(L, from, i + 1);
			lua_rawgeti(L, from, j + 1);
			left = !less(L, top + 2, top + 1);
			lua_settop(L, top);
		}
		lua_rawgeti(L, from, left ? ++i : ++j);
		lua_rawseti(L, to, k + 1);
	}
}

void sort_list(lua_State *L, int index, lua_Integer n, sort_less *less)
{
	int from = lua_absindex(L, index), to;

	lua_newtable(L);
	to = lua_gettop(L);
	for (lua_Integer width = 1; width < n; width *= 2) {
		for (lua_Integer lo = 0; lo < n; lo += 2 * width) {
			lua_Integer mid = lo + width, hi = lo + 2 * width;
			const lua_Integer bounds[3] = { lo, mid < n ? mid : n, hi < n ? hi : n };

			merge(L, from, to, bounds, less);
		}
		/* The merged list takes the other's place, and the other is written next. */
		lua_pushvalue(L, from);
		lua_copy(L, to, from);
		lua_replace(L, to);
	}
	lua_settop(L, to - 1);
}

static bool by_function(lua_State *L, int a, int b)
{
	lua_pushvalue(L, 2);
	lua_pushvalue(L, a);
	lua_pushvalue(L, b);
	lua_call(L, 2, 1);
	return lua_toboolean(L, -1);
}

static bool by_value(lua_State *L, int a, int b)
{
	return lua_compare(L, a, b, LUA_OPLT);
}

int sort_table(lua_State *L)
{
	bool ordered;
	lua_Integer n;

	luaL_checktype(L, 1, LUA_TTABLE);
	ordered = !lua_isnoneornil(L, 2);
	if (ordered)
		luaL_checktype(L, 2, LUA_TFUNCTION);
	lua_settop(L, 2);
	n = luaL_len(L, 1);
	luaL_argcheck(L, n < INT_MAX, 1, "array too big");
	lua_newtable(L); /* 3: a copy, so that a comparing function cannot change what is sorted */
	for (lua_Integer i = 1; i <= n; i++) {
		lua_geti(L, 1, i);
		lua_rawseti(L, 3, i);
	}
	sort_list(L, 3, n, ordered ? by_function : by_value);
	for (lua_Integer i = 1; i <= n; i++) {
		lua_rawgeti(L, 3, i);
		lua_seti(L, 1, i);
	}
	return 0;
}
