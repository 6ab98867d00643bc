/*
 * The outer halves of the bindings: they own nothing, take arguments apart, call an inner half,
 * and raise or push as their last act.
 */
#include "recipe/api.h"

#include <fcntl.h>
#include <lauxlib.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/path.h"
#include "base/str.h"
#include "external/crypto.h"
#include "host/fs.h"
#include "model/toolchain.h"
#include "model/triple.h"
#include "recipe/base_lib.h"
#include "recipe/declare.h"
#include "recipe/diagnose.h"
#include "recipe/manifest.h"
#include "recipe/modules.h"
#include "recipe/values.h"
#include "recipe/world.h"

enum { FAIL_PATH_MOST = 8 };

/* ---- stages and the rest of the document ---- */

static int api_stage(lua_State *L)
{
	struct recipe_state *state = state_of(L);
	const char *address;

	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	if (declare_stage(state, lua_tostring(L, lua_upvalueindex(1)), 1, &address,
	                  state_err(state)) < 0)
		return state_raise(L);
	values_push_ref(L, false, address, "", 0);
	return 1;
}

/* kiln.leaf(id, spec[, values]) gives a reference; `values` can be read through it. */
static int api_leaf(lua_State *L)
{
	struct recipe_state *state = state_of(L);
	const char *id = luaL_checkstring(L, 1);

	luaL_checktype(L, 2, LUA_TTABLE);
	lua_settop(L, 3);
	if (declare_leaf(state, id, 2, state_err(state)) < 0)
		return state_raise(L);
	values_push_ref(L, true, id, "", lua_istable(L, 3) ? 3 : 0);
	return 1;
}

static int api_item(lua_State *L)
{
	struct recipe_state *state = state_of(L);

	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	if (declare_item(state, lua_tostring(L, lua_upvalueindex(1)), 1, state_err(state)) < 0)
		return state_raise(L);
	return 0;
}

static int api_recipe(lua_State *L)
{
	struct recipe_state *state = state_of(L);

	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	if (declare_recipe(state, 1, state_err(state)) < 0)
		return state_raise(L);
	return 1;
}

/* ---- what library code needs to speak well ---- */

/* What a table says of a place: where =, callee =, path = { "targets", 1 }, key =. Leaves the texts on
 * the stack, where they live. */
static void read_at(lua_State *L, const char *parts[FAIL_PATH_MOST + 1], struct fault_at *ret)
{
	struct fault_at at = { 0 };
	const char *where;
	int path;

	lua_getfield(L, 1, "where");
	where = lua_tostring(L, -1);
	lua_getfield(L, 1, "callee");
	at.callee = lua_tostring(L, -1);
	lua_getfield(L, 1, "key");
	at.key = lua_toboolean(L, -1);
	lua_getfield(L, 1, "path");
	path = lua_gettop(L);
	if (lua_istable(L, path)) {
		for (int i = 0; i < FAIL_PATH_MOST; i++) {
			lua_rawgeti(L, path, i + 1);
			parts[i] = lua_tostring(L, -1);
			if (!parts[i])
				break;
		}
		at.path = parts;
	}
	if (where)
		at.place = diagnose_where(state_of(L), where);
	if (!at.place.file)
		at.place = state_place(L);
	*ret = at;
}

/* kiln.where(): the line that runs. kiln.where { where =, callee =, path =, key = }: that of a field. */
static int api_where(lua_State *L)
{
	const char *parts[FAIL_PATH_MOST + 1] = { 0 };
	struct fault_at at = { .place = state_place(L) };

	if (lua_istable(L, 1)) {
		read_at(L, parts, &at);
		diagnose_find(&at, NULL);
	}
	lua_pushfstring(L, "%s:%d",
	                at.place.file ? at.place.file->path : state_of(L)->request->recipe,
	                at.place.line);
	return 1;
}

/* kiln.fail { text =, note =, where =, callee =, path = { "targets", 1 }, key = } */
static int api_fail(lua_State *L)
{
	struct recipe_state *state = state_of(L);
	const char *parts[FAIL_PATH_MOST + 1] = { 0 };
	struct fault_at at;
	const char *text, *note;

	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	lua_getfield(L, 1, "text");
	lua_getfield(L, 1, "note");
	text = luaL_checkstring(L, 2);
	note = lua_tostring(L, 3);
	read_at(L, parts, &at);
	diagnose(state, &at, note, state_err(state), "%s", text);
	return state_raise(L);
}

/* The answer is a string of Lua's list, so nothing is owned past this. */
static const char *nearest_of_list(lua_State *L, const char *word)
{
	ARRAY(const char *) names = { 0 };
	const char *near;

	for (lua_Integer i = 1;; i++) {
		lua_rawgeti(L, 2, i);
		if (lua_type(L, -1) != LUA_TSTRING)
			break;
		array_push(&names, lua_tostring(L, -1));
		lua_pop(L, 1);
	}
	array_push(&names, NULL);
	near = str_nearest(word, names.v);
	array_deinit(&names);
	return near;
}

static int api_nearest(lua_State *L)
{
	const char *word = luaL_checkstring(L, 1);

	luaL_checktype(L, 2, LUA_TTABLE);
	lua_settop(L, 2);
	lua_pushstring(L, nearest_of_list(L, word));
	return 1;
}

/* kiln.triple(text): its parts, or nil, what is wrong, and the nearest. */
static int api_triple(lua_State *L)
{
	const char *text = luaL_checkstring(L, 1);
	struct triple t;

	if (!triple_parse(text, &t)) {
		lua_pushnil(L);
		lua_pushstring(L, triple_fault(text));
		lua_pushstring(L, triple_nearest(text));
		return 3;
	}
	lua_newtable(L);
	lua_pushstring(L, t.base);
	lua_setfield(L, -2, "base");
	lua_pushstring(L, t.arch);
	lua_setfield(L, -2, "arch");
	lua_pushstring(L, t.os);
	lua_setfield(L, -2, "os");
	lua_pushstring(L, t.env);
	lua_setfield(L, -2, "env");
	lua_pushstring(L, t.glibc);
	lua_setfield(L, -2, "glibc");
	return 1;
}

/* A toolchain of the project's own goes before Kiln's: whether there is one is part of what was seen. */
static void look_for_own(struct recipe_state *state, const char *name)
{
	_cleanup_free_ char *path = str_fmt(".kiln/toolchains/%s.yaml", name);
	struct err ignored = ERR_INIT;
	struct stat st;

	(void)state_look(state, path, NULL, &st, &ignored);
}

/* Loads a toolchain's view of a triple once. 0, or DEFINITION_UNKNOWN; *ret NULL: not listed. */
static int find_toolchain(struct recipe_state *state, const char *name, const char *triple,
                          const json_t **ret)
{
	_cleanup_free_ char *key = str_fmt("%s/%s", name, triple);
	struct definition def = { 0 };
	struct err *err = state_err(state);
	json_t *view = map_get(state->toolchains, key);
	int rc;

	if (!view) {
		look_for_own(state, name);
		rc = toolchain_load(state->request->project, name, &def, err);
		if (rc == DEFINITION_UNKNOWN) {
			definition_refuse(state->request->project, "toolchains", "toolchain", name,
			                  err);
			return rc;
		}
		if (rc < 0)
			return -1;
		state_note_file(state, def.path, DIGEST_TEXT(&def.digest), def.embedded);
		view = toolchain_target(&def, name, triple);
		definition_deinit(&def);
		if (view)
			map_set(state->toolchains, key, view);
	}
	*ret = view;
	return 0;
}

/* kiln.toolchain(name, triple): a table, or nil, what is wrong, and a note. */
static int api_toolchain(lua_State *L)
{
	struct recipe_state *state = state_of(L);
	const char *name = luaL_checkstring(L, 1), *triple = luaL_checkstring(L, 2);
	const json_t *view = NULL;
	int rc = find_toolchain(state, name, triple, &view);

	if (rc < 0)
		return state_raise(L);
	if (view) {
		values_push(L, view);
		return 1;
	}
	lua_pushnil(L);
	if (rc == DEFINITION_UNKNOWN) {
		lua_pushstring(L, state->err.cause);
		lua_pushstring(L, state->err.hint);
	} else {
		lua_pushfstring(L, "the toolchain \"%s\" does not list \"%s\"", name, triple);
		lua_pushliteral(L, "");
	}
	return 3;
}

/*
 * kiln.stat(path), below the recipe's folder: "file", "folder", or nil. A link that leads out of the
 * project is an error: what lies there is not the recipe's to know.
 */
static int look(struct recipe_state *state, const char *path, const char **ret)
{
	_cleanup_free_ char *full =
		state->folder[0] ? path_join(state->folder, path) : str_dup(path);
	_cleanup_fd_ int fd = -1;
	struct fault_at at = { .place = state_place(state->L) };
	struct err fault = ERR_INIT;
	struct stat st;
	int rc = FS_MISSING;

	*ret = NULL;
	if (path_is_tree(path) || str_eq(path, "."))
		rc = state_look(state, full, &fd, &st, &fault);
	if (rc < 0)
		return diagnose(state, &at, NULL, state_err(state), "%s", fault.cause);
	if (rc == 0)
		*ret = S_ISDIR(st.st_mode) ? "folder" : S_ISREG(st.st_mode) ? "file" : NULL;
	return 0;
}

static int api_stat(lua_State *L)
{
	const char *what;

	if (look(state_of(L), luaL_checkstring(L, 1), &what) < 0)
		return state_raise(L);
	lua_pushstring(L, what);
	return 1;
}

/* ---- opening ---- */

static void open_stages(lua_State *L)
{
	const struct recipe_kind *kind = state_of(L)->request->kinds;

	lua_newtable(L);
	for (; kind->name; kind++) {
		lua_pushstring(L, kind->name);
		luaL_gsub(L, kind->name, "-", "_");
		lua_insert(L, -2);
		lua_pushcclosure(L, api_stage, 1);
		lua_rawset(L, -3);
	}
	base_lib_protect(L, "stage");
}

static void add_item(lua_State *L, const char *what)
{
	lua_pushstring(L, what);
	lua_pushcclosure(L, api_item, 1);
	lua_setfield(L, -2, what);
}

void api_open(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "entry", modules_entry },     { "fail", api_fail },
		{ "leaf", api_leaf },           { "nearest", api_nearest },
		{ "recipe", api_recipe },       { "stat", api_stat },
		{ "toolchain", api_toolchain }, { "triple", api_triple },
		{ "where", api_where },         { NULL, NULL },
	};

	values_open(L);
	modules_open(L);
	base_lib_globals(L);
	open_stages(L);
	lua_setfield(L, -2, "stage");
	lua_newtable(L);
	luaL_setfuncs(L, functions, 0);
	world_open(L);
	manifest_open(L);
	add_item(L, "target");
	add_item(L, "profile");
	add_item(L, "smoke");
	add_item(L, "test");
	add_item(L, "image");
	add_item(L, "workload_data");
	add_item(L, "artefact");
	base_lib_protect(L, "kiln");
	lua_setfield(L, -2, "kiln");
	lua_pop(L, 1);
}
