/*
 * The standard library, cut down. Besides what is dangerous, what differs from run to run is gone
 * or made regular: addresses in texts, random numbers, the order of `pairs`.
 */
#include "recipe/base_lib.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/array.h"
#include "base/str.h"
#include "recipe/diagnose.h"
#include "recipe/sort.h"

enum { PRINTED_MOST = 64 << 10 };

static const char globals_key[] = "kiln.globals";

void base_lib_globals(lua_State *L)
{
	lua_getfield(L, LUA_REGISTRYINDEX, globals_key);
}

/* ---- regular order ---- */

/* Numbers first, by value; then texts, by bytes (a NUL is one like any other). */
static bool key_less(lua_State *L, int a, int b)
{
	bool number_a = lua_type(L, a) == LUA_TNUMBER, number_b = lua_type(L, b) == LUA_TNUMBER;
	const char *text_a, *text_b;
	size_t n_a, n_b;
	int order;

	if (number_a != number_b)
		return number_a;
	if (number_a)
		return lua_compare(L, a, b, LUA_OPLT);
	if (lua_type(L, a) == LUA_TBOOLEAN || lua_type(L, b) == LUA_TBOOLEAN)
		return lua_type(L, a) == LUA_TBOOLEAN && lua_type(L, b) == LUA_TBOOLEAN ?
		               lua_toboolean(L, a) < lua_toboolean(L, b) :
		               lua_type(L, a) == LUA_TBOOLEAN;
	text_a = lua_tolstring(L, a, &n_a);
	text_b = lua_tolstring(L, b, &n_b);
	order = memcmp(text_a, text_b, n_a < n_b ? n_a : n_b);
	return order < 0 || (order == 0 && n_a < n_b);
}

static bool has_order(lua_State *L, int index)
{
	int type = lua_type(L, index);

	return type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TBOOLEAN;
}

/*
 * next(t, k): the smallest key behind k. Linear, so that no order has to be kept anywhere; `pairs`
 * sorts once instead.
 */
static int base_next(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 2);
	lua_pushnil(L); /* 3: the best so far */
	lua_pushnil(L);
	while (lua_next(L, 1)) {
		lua_pop(L, 1);
		if (!has_order(L, -1))
			return luaL_error(L, "a table with keys that are neither texts nor numbers "
			                     "has no order to walk it in");
		if ((lua_isnil(L, 2) || key_less(L, 2, 4)) &&
		    (lua_isnil(L, 3) || key_less(L, 4, 3))) {
			lua_pushvalue(L, 4);
			lua_replace(L, 3);
		}
	}
	lua_settop(L, 3);
	if (lua_isnil(L, 3))
		return 1;
	lua_pushvalue(L, 3);
	lua_rawget(L, 1);
	return 2;
}

/* Iterates upvalue 2, a sorted list of keys of upvalue 1, from upvalue 3 on. */
static int pairs_step(lua_State *L)
{
	lua_Integer i = lua_tointeger(L, lua_upvalueindex(3));

	for (;;) {
		lua_rawgeti(L, lua_upvalueindex(2), ++i);
		if (lua_isnil(L, -1))
			return 1;
		lua_pushvalue(L, -1);
		lua_rawget(L, lua_upvalueindex(1));
		if (!lua_isnil(L, -1))
			break;
		lua_pop(L, 2); /* removed while walking */
	}
	lua_pushinteger(L, i);
	lua_replace(L, lua_upvalueindex(3));
	return 2;
}

static int base_pairs(lua_State *L)
{
	lua_Integer n = 0;

	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	lua_newtable(L);
	lua_pushnil(L);
	while (lua_next(L, 1)) {
		lua_pop(L, 1);
		if (!has_order(L, -1))
			return luaL_error(L, "a table with keys that are neither texts nor numbers "
			                     "has no order to walk it in");
		lua_pushvalue(L, -1);
		lua_rawseti(L, 2, ++n);
	}
	sort_list(L, 2, n, key_less);
	lua_pushvalue(L, 1);
	lua_insert(L, -2);
	lua_pushinteger(L, 0);
	lua_pushcclosure(L, pairs_step, 3);
	return 1;
}

/* ---- texts without addresses ---- */

static bool speaks(lua_State *L, int index)
{
	int type = lua_type(L, index);

	if (type != LUA_TTABLE && type != LUA_TFUNCTION && type != LUA_TUSERDATA)
		return true;
	if (luaL_getmetafield(L, index, "__tostring") == LUA_TNIL)
		return false;
	lua_pop(L, 1);
	return true;
}

static int base_tostring(lua_State *L)
{
	luaL_checkany(L, 1);
	if (speaks(L, 1))
		luaL_tolstring(L, 1, NULL);
	else
		lua_pushstring(L, luaL_typename(L, 1));
	return 1;
}

/* string.format with addresses taken out: upvalue 1 is Lua's own. */
static int base_format(lua_State *L)
{
	const char *format = luaL_checkstring(L, 1);
	int n = lua_gettop(L);

	for (const char *p = format; (p = strchr(p, '%')); p++) {
		p++;
		if (*p == '%')
			continue;
		p += strspn(p, "-+ #0123456789.");
		if (*p == 'p')
			return luaL_error(L,
			                  "string.format: %%p shows addresses, which differ from "
			                  "run to run");
		if (!*p)
			break;
	}
	for (int i = 2; i <= n; i++)
		if (!speaks(L, i)) {
			lua_pushstring(L, luaL_typename(L, i));
			lua_replace(L, i);
		}
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, n, 1);
	return 1;
}

static int base_print(lua_State *L)
{
	struct recipe_state *state = state_of(L);
	int n = lua_gettop(L);
	luaL_Buffer text;
	const char *s;
	size_t size;

	luaL_buffinit(L, &text);
	for (int i = 1; i <= n; i++) {
		if (i > 1)
			luaL_addchar(&text, '\t');
		if (speaks(L, i))
			luaL_tolstring(L, i, NULL);
		else
			lua_pushstring(L, luaL_typename(L, i));
		luaL_addvalue(&text);
	}
	luaL_pushresult(&text);
	s = lua_tolstring(L, -1, &size);
	if (state->printed > PRINTED_MOST)
		return 0;
	state->printed += size + 1;
	if (state->print)
		state->print(state->print_data,
		             state->printed > PRINTED_MOST ? "… (the recipe prints too much)" : s);
	return 0;
}

/* ---- what could undo the sandbox ---- */

static int base_setmetatable(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	if (!lua_isnil(L, 2)) {
		luaL_checktype(L, 2, LUA_TTABLE);
		lua_pushliteral(L, "__gc");
		if (lua_rawget(L, 2) != LUA_TNIL)
			return luaL_error(L, "setmetatable: __gc is not there for recipes");
		lua_pop(L, 1);
	}
	if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
		return luaL_error(L, "setmetatable: the metatable is protected");
	lua_settop(L, 2);
	lua_setmetatable(L, 1);
	return 1;
}

static int base_rawset(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	luaL_checkany(L, 2);
	luaL_checkany(L, 3);
	if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
		return luaL_error(L, "rawset: the table is read-only");
	lua_settop(L, 3);
	lua_rawset(L, 1);
	return 1;
}

/* ---- read-only views ---- */

/* Upvalues: the hidden table, its name ("" for the globals). */
static const char *nearest_member(lua_State *L, const char *word)
{
	ARRAY(const char *) names = { 0 };
	const char *near;

	if (!lua_checkstack(L, 4))
		return NULL;
	lua_pushnil(L);
	while (lua_next(L, lua_upvalueindex(1))) {
		if (lua_type(L, -2) == LUA_TSTRING)
			array_push(&names, lua_tostring(L, -2));
		lua_pop(L, 1);
	}
	array_push(&names, NULL);
	if (names.n > 2)
		qsort(names.v, names.n - 1, sizeof(*names.v), str_cmp_ptr);
	near = str_nearest(word, names.v);
	array_deinit(&names);
	return near;
}

/* Lua's doors to the world, which a recipe has not. */
static const char world_note[] = "a recipe knows what is recorded and nothing else: option(NAME, "
				 "default) with --set, read FILE, git.version";

static bool is_world(const char *word)
{
	return str_eq(word, "os") || str_eq(word, "io") || str_eq(word, "debug");
}

static int refuse_read(lua_State *L, const char *what, const char *word, struct err *err)
{
	struct recipe_state *state = state_of(L);
	struct fault_at at = { .place = state_place(L) };
	const char *near = nearest_member(L, word);
	_cleanup_free_ char *note =
		near ? str_fmt("did you mean \"%s%s%s\"?", what, what[0] ? "." : "", near) :
		is_world(word) ? str_dup(world_note) :
				 NULL;

	return diagnose(state, &at, note, err, "unknown name \"%s%s%.80s\"", what,
	                what[0] ? "." : "", word);
}

static int view_index(lua_State *L)
{
	struct recipe_state *state = state_of(L);
	const char *word = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : NULL;

	lua_settop(L, 2);
	lua_pushvalue(L, 2);
	lua_rawget(L, lua_upvalueindex(1));
	if (!lua_isnil(L, -1) || !word)
		return 1;
	err_clear(&state->err);
	refuse_read(L, lua_tostring(L, lua_upvalueindex(2)), word, &state->err);
	return state_raise(L);
}

static int view_newindex(lua_State *L)
{
	struct recipe_state *state = state_of(L);
	const char *what = lua_tostring(L, lua_upvalueindex(2));
	const char *word = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "…";
	struct fault_at at = { .place = state_place(L) };

	err_clear(&state->err);
	if (what[0])
		diagnose(state, &at, NULL, &state->err, "\"%s\" is read-only", what);
	else
		diagnose(state, &at, "write \"local\" in front", &state->err,
		         "global names are read-only: \"%.80s\" cannot be set", word);
	return state_raise(L);
}

void base_lib_protect(lua_State *L, const char *name)
{
	int hidden = lua_gettop(L);

	lua_newtable(L); /* the view */
	lua_newtable(L); /* its metatable */
	lua_pushvalue(L, hidden);
	lua_pushstring(L, name);
	lua_pushcclosure(L, view_index, 2);
	lua_setfield(L, -2, "__index");
	lua_pushvalue(L, hidden);
	lua_pushstring(L, name);
	lua_pushcclosure(L, view_newindex, 2);
	lua_setfield(L, -2, "__newindex");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_setmetatable(L, -2);
	lua_remove(L, hidden);
}

/* ---- opening ---- */

static void open_lib(lua_State *L, const char *name, lua_CFunction open, const char *const *remove)
{
	luaL_requiref(L, name, open, 0);
	for (; *remove; remove++) {
		lua_pushnil(L);
		lua_setfield(L, -2, *remove);
	}
}

/* Lua's own functions that stay as they are. Not xpcall: the handler of an error that a hook raised
 * runs without hooks, so that no budget would end it. */
static void copy_base(lua_State *L, int globals)
{
	static const char *const kept[] = { "assert", "error",    "getmetatable", "ipairs",
		                            "pcall",  "rawequal", "rawget",       "rawlen",
		                            "select", "tonumber", "type",         NULL };

	luaL_requiref(L, "_G", luaopen_base, 0);
	for (size_t i = 0; kept[i]; i++) {
		lua_getfield(L, -1, kept[i]);
		lua_setfield(L, globals, kept[i]);
	}
	/* The real table of globals stays behind, empty of everything. */
	lua_pushnil(L);
	while (lua_next(L, -2)) {
		lua_pop(L, 1);
		lua_pushvalue(L, -1);
		lua_pushnil(L);
		lua_rawset(L, -4);
	}
	lua_pop(L, 1);
}

static void open_string(lua_State *L, int globals)
{
	static const char *const remove[] = { "dump", NULL };

	open_lib(L, LUA_STRLIBNAME, luaopen_string, remove);
	lua_getfield(L, -1, "format");
	lua_pushcclosure(L, base_format, 1);
	lua_setfield(L, -2, "format");
	/* ("x"):upper() goes through the metatable of all texts. */
	lua_pushliteral(L, "");
	lua_getmetatable(L, -1);
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 2);
	base_lib_protect(L, "string");
	lua_pushliteral(L, "");
	lua_getmetatable(L, -1);
	lua_pushvalue(L, -3);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 2);
	lua_setfield(L, globals, "string");
}

void base_lib_open(lua_State *L)
{
	static const luaL_Reg own[] = {
		{ "next", base_next },
		{ "pairs", base_pairs },
		{ "print", base_print },
		{ "tostring", base_tostring },
		{ "rawset", base_rawset },
		{ "setmetatable", base_setmetatable },
		{ NULL, NULL },
	};
	static const char *const no_random[] = { "random", "randomseed", NULL };
	static const char *const nothing[] = { NULL };
	int globals;

	lua_newtable(L);
	globals = lua_gettop(L);
	lua_pushvalue(L, globals);
	lua_setfield(L, LUA_REGISTRYINDEX, globals_key);
	copy_base(L, globals);
	luaL_setfuncs(L, own, 0);
	open_string(L, globals);
	open_lib(L, LUA_TABLIBNAME, luaopen_table, nothing);
	lua_pushcfunction(L, sort_table);
	lua_setfield(L, -2, "sort");
	base_lib_protect(L, "table");
	lua_setfield(L, globals, "table");
	open_lib(L, LUA_MATHLIBNAME, luaopen_math, no_random);
	base_lib_protect(L, "math");
	lua_setfield(L, globals, "math");
	lua_pushnil(L);
	lua_setfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
	base_lib_protect(L, "");
	lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
}
