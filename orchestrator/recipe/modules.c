/*
 * Code by name: the recipe itself, `require`, and the prelude, whose members are the names that
 * recipes find without asking.
 */
#include "recipe/modules.h"

#include <ctype.h>
#include <lauxlib.h>

#include "base/alloc.h"
#include "base/array.h"
#include "base/str.h"
#include "host/fs.h"
#include "model/embedded.h"
#include "recipe/base_lib.h"
#include "recipe/diagnose.h"

static const char modules_key[] = "kiln.modules", guard_key[] = "kiln.loading";

static int code_fault(struct recipe_state *state, const struct recipe_file *file,
                      const char *message)
{
	return diagnose_lua(state, message, (struct place){ file, 0 }, state_err(state));
}

/* Pushes a file's code as a function. Raises. */
static void load_code(lua_State *L, const struct recipe_file *file)
{
	if (luaL_loadbufferx(L, file->text, file->n, file->chunk, "t") == LUA_OK)
		return;
	if (lua_type(L, -1) != LUA_TSTRING || str_eq(lua_tostring(L, -1), "not enough memory"))
		lua_error(L);
	code_fault(state_of(L), file, lua_tostring(L, -1));
	state_raise(L);
}

static int read_recipe(struct recipe_state *state, const char *path, const struct recipe_file **ret)
{
	struct err *err = state_err(state);
	int rc = state_read(state, path, ret, err);

	if (rc == FS_MISSING)
		return err_set(err, ERR_INPUT, "%s: there is no such recipe", path);
	return rc;
}

void modules_load_file(lua_State *L, const char *path)
{
	const struct recipe_file *file;

	if (read_recipe(state_of(L), path, &file) < 0)
		state_raise(L);
	load_code(L, file);
}

static bool is_module_name(const char *name)
{
	bool start = true;

	if (strlen(name) > 100)
		return false;
	for (const char *p = name; *p; p++) {
		if (*p == '.' ? start : !isalnum((unsigned char)*p) && *p != '_' && *p != '-')
			return false;
		start = *p == '.';
	}
	return !start;
}

static char *module_path(const char *folder, const char *name)
{
	char *path = folder[0] ? str_fmt("%s/%s.lua", folder, name) : str_fmt("%s.lua", name);
	size_t skip = folder[0] ? strlen(folder) + 1 : 0;

	for (char *p = path + skip; p < path + strlen(path) - 4; p++)
		if (*p == '.')
			*p = '/';
	return path;
}

/* The embedded module nearest to a name: "kiln.fdo". The caller frees. */
static char *nearest_module(const char *name)
{
	ARRAY(char *) names = { 0 };
	const char *near;
	char *result;

	for (size_t i = 0; i < kiln_embedded_count; i++) {
		const char *path = kiln_embedded[i].path;

		if (str_starts(path, "recipes/lib/") && str_ends(path, ".lua") &&
		    !str_ends(path, ".d.lua"))
			array_push(&names, str_fmt("kiln.%.*s", (int)strlen(path) - 16, path + 12));
	}
	array_push(&names, NULL);
	near = str_nearest(name, (const char *const *)names.v);
	result = str_dup(near);
	for (size_t i = 0; i + 1 < names.n; i++)
		free(names.v[i]);
	array_deinit(&names);
	return result;
}

/* Finds a module: the embedded library first, then the recipe's folder, then the project. */
static int find_module(struct recipe_state *state, const char *name, const struct recipe_file **ret)
{
	struct err *err = state_err(state);
	struct fault_at at = { .place = state_place(state->L) };
	_cleanup_free_ char *here = NULL, *root = NULL, *near = NULL, *note = NULL;
	int rc;

	if (!is_module_name(name))
		return diagnose(state, &at, "write require \"folder.name\"", err,
		                "require: \"%.80s\" is no module name", name);
	*ret = state_embedded(state, name);
	if (*ret)
		return 0;
	here = module_path(state->folder, name);
	root = module_path("", name);
	rc = state_read(state, here, ret, err);
	if (rc == FS_MISSING)
		rc = state_read(state, root, ret, err);
	if (rc == 0)
		return 0;
	if (rc < 0) {
		struct err fault = *err;

		return diagnose(state, &at, NULL, state_err(state), "require: %s", fault.cause);
	}
	near = nearest_module(name);
	note = near ? str_fmt("did you mean \"%s\"?", near) : NULL;
	return diagnose(state, &at, note, err, "require: there is no module \"%s\" (%s%s%s)", name,
	                here, str_eq(here, root) ? "" : ", ", str_eq(here, root) ? "" : root);
}

static int cycle_fault(struct recipe_state *state, const char *name)
{
	struct fault_at at = { .place = state_place(state->L) };

	return diagnose(state, &at, NULL, state_err(state),
	                "require: \"%.80s\" needs itself, through what it requires", name);
}

/* __close of what stands guard over a module that is being loaded: { NAME }. When an error ends the loading the mark goes, so that a recipe which catches it may ask again. */
static int stop_loading(lua_State *L)
{
	lua_settop(L, 1);
	lua_getfield(L, LUA_REGISTRYINDEX, modules_key);
	lua_rawgeti(L, 1, 1);
	lua_pushvalue(L, 3);
	if (lua_rawget(L, 2) == LUA_TLIGHTUSERDATA) {
		lua_pushvalue(L, 3);
		lua_pushnil(L);
		lua_rawset(L, 2);
	}
	return 0;
}

/* Marks the module (its name is at index 1, the table of modules at 2) and leaves the guard on top. */
static void start_loading(lua_State *L)
{
	lua_createtable(L, 1, 0);
	lua_pushvalue(L, 1);
	lua_rawseti(L, -2, 1);
	lua_getfield(L, LUA_REGISTRYINDEX, guard_key);
	lua_setmetatable(L, -2);
	lua_toclose(L, -1);
	lua_pushvalue(L, 1);
	lua_pushlightuserdata(L, (void *)&modules_key);
	lua_rawset(L, 2);
}

static int require(lua_State *L)
{
	const char *name = luaL_checkstring(L, 1);
	const struct recipe_file *file;

	lua_settop(L, 1);
	lua_getfield(L, LUA_REGISTRYINDEX, modules_key);
	lua_getfield(L, 2, name);
	if (lua_islightuserdata(L, 3)) {
		cycle_fault(state_of(L), name);
		return state_raise(L);
	}
	if (!lua_isnil(L, 3))
		return 1;
	if (find_module(state_of(L), name, &file) < 0)
		return state_raise(L);
	start_loading(L);
	load_code(L, file);
	lua_call(L, 0, 1);
	if (lua_isnil(L, -1)) {
		lua_pop(L, 1);
		lua_pushboolean(L, 1);
	}
	lua_pushvalue(L, -1);
	lua_setfield(L, 2, name);
	return 1;
}

/*
 * A library function as recipes see it. The C function in between keeps the recipe's own frame on
 * the stack for `return release { … }`: a tail call of a Lua function would drop it, and with it
 * the line that errors are to name.
 */
static int entry(lua_State *L)
{
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
	return lua_gettop(L);
}

int modules_entry(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TFUNCTION);
	lua_settop(L, 1);
	lua_pushcclosure(L, entry, 1);
	return 1;
}

/* Makes the members of the prelude's table global: functions as entries, tables read-only. */
void modules_load_prelude(lua_State *L)
{
	int globals, prelude;

	lua_pushcfunction(L, require);
	lua_pushliteral(L, "kiln.prelude");
	lua_call(L, 1, 1);
	prelude = lua_gettop(L);
	base_lib_globals(L);
	globals = lua_gettop(L);
	lua_pushnil(L);
	while (lua_next(L, prelude)) {
		if (lua_isfunction(L, -1)) {
			lua_pushcclosure(L, entry, 1);
		} else {
			int members = lua_gettop(L);

			lua_newtable(L);
			lua_pushnil(L);
			while (lua_next(L, members)) {
				lua_pushcclosure(L, entry, 1);
				lua_pushvalue(L, -2);
				lua_insert(L, -2);
				lua_rawset(L, members + 1);
			}
			base_lib_protect(L, lua_tostring(L, members - 1));
			lua_remove(L, members);
		}
		lua_pushvalue(L, -2);
		lua_insert(L, -2);
		lua_rawset(L, globals);
	}
	lua_settop(L, prelude - 1);
}

void modules_open(lua_State *L)
{
	lua_newtable(L);
	lua_pushcfunction(L, stop_loading);
	lua_setfield(L, -2, "__close");
	lua_setfield(L, LUA_REGISTRYINDEX, guard_key);
	lua_newtable(L);
	lua_setfield(L, LUA_REGISTRYINDEX, modules_key);
	base_lib_globals(L);
	lua_pushcfunction(L, require);
	lua_setfield(L, -2, "require");
	lua_pop(L, 1);
}
