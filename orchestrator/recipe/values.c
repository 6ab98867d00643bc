/*
 * Between Lua and JSON. A reference is a userdata whose texts lie inside it, so that Lua's heap
 * cap counts them.
 */
#include "recipe/values.h"

#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/array.h"
#include "base/path.h"
#include "base/str.h"
#include "recipe/diagnose.h"

enum { DEPTH_MOST = 32, MEMBERS_MOST = 10000 };

struct ref_box {
	bool leaf;
	size_t path; /* offset of the path in text */
	char text[]; /* id, NUL, path, NUL */
};

static const char ref_key[] = "kiln.ref";

struct converter {
	lua_State *L;
	struct recipe_state *state;
	struct values_fault *fault; /* its part is the one being converted */
	int depth;
};

static int refuse(struct converter *c, const char *what)
{
	snprintf(c->fault->text, sizeof(c->fault->text), "%s", what);
	return -1;
}

static int convert(struct converter *c, int index, json_t **ret);

static int convert_number(struct converter *c, int index, json_t **ret)
{
	lua_Number n;

	if (lua_isinteger(c->L, index)) {
		*ret = json_integer(lua_tointeger(c->L, index));
		return 0;
	}
	n = lua_tonumber(c->L, index);
	if (!(fabs(n) < 9e15) || n != floor(n))
		return refuse(c, "a number with a fraction cannot stand here; write it as text");
	*ret = json_integer((json_int_t)n);
	return 0;
}

/* The document lies outside Lua's heap: its texts are counted here, those that are there twice too. */
static int spend_text(struct converter *c, size_t n)
{
	if (n >= c->state->text_left)
		return refuse(c, "the recipe declares more than 64 MiB of text");
	c->state->text_left -= n + 1;
	return 0;
}

static int convert_string(struct converter *c, int index, json_t **ret)
{
	size_t n;
	const char *s = lua_tolstring(c->L, index, &n);

	if (memchr(s, '\0', n))
		return refuse(c, "a text must not hold a NUL");
	if (spend_text(c, n) < 0)
		return -1;
	*ret = json_stringn(s, n);
	return *ret ? 0 : refuse(c, "a text is not valid UTF-8");
}

static json_t *ref_json(const struct ref_box *ref)
{
	return json_pack("{s:s,s:s}", ref->leaf ? "$leaf" : "$stage", ref->text, "path",
	                 ref->text + ref->path);
}

/* Every userdata in this state is a reference: no other library makes any. */
static int convert_ref(struct converter *c, int index, json_t **ret)
{
	const struct ref_box *ref = lua_touserdata(c->L, index);

	if (spend_text(c, strlen(ref->text)) < 0 ||
	    spend_text(c, strlen(ref->text + ref->path)) < 0)
		return -1;
	*ret = ref_json(ref);
	return 0;
}

static int convert_array(struct converter *c, int index, size_t n, json_t **ret)
{
	_cleanup_json_ json_t *array = json_array();
	size_t part = strlen(c->fault->part);

	for (size_t i = 1; i <= n; i++) {
		json_t *item = NULL;
		int rc;

		snprintf(c->fault->part + part, sizeof(c->fault->part) - part, "[%zu]", i);
		lua_rawgeti(c->L, index, (lua_Integer)i);
		rc = lua_isnil(c->L, -1) ? refuse(c, "is nil: the list has a hole") :
		                           convert(c, lua_gettop(c->L), &item);
		lua_pop(c->L, 1);
		if (rc < 0)
			return -1;
		json_array_append_new(array, item);
	}
	c->fault->part[part] = '\0';
	*ret = steal(array);
	return 0;
}

struct member {
	const char *key;
	int index; /* of its value on the stack */
};

struct members {
	ARRAY(struct member) list;
};

static int compare_members(const void *a, const void *b)
{
	return strcmp(((const struct member *)a)->key, ((const struct member *)b)->key);
}

/* Leaves the values of a table's members on the stack, and sorts the members by name: Lua walks a
 * table in another order on every run, and the first fault that is met is the one that is told. */
static int collect(struct converter *c, int index, struct members *ret)
{
	lua_State *L = c->L;

	lua_pushnil(L);
	while (lua_next(L, index)) {
		if (lua_type(L, -2) != LUA_TSTRING)
			return refuse(c, "a table is either a list or has names, not both");
		if (ret->list.n >= MEMBERS_MOST || !lua_checkstack(L, 4))
			return refuse(c, "has too many members");
		lua_insert(L, -2); /* the key goes on top, for the next step */
		array_push(&ret->list, ((struct member){ lua_tostring(L, -1), lua_gettop(L) - 1 }));
	}
	array_sort(&ret->list, compare_members);
	return 0;
}

static int convert_members(struct converter *c, const struct members *members, json_t *object)
{
	char *part = c->fault->part;
	size_t n = strlen(part);

	for (size_t i = 0; i < members->list.n; i++) {
		const struct member *m = &members->list.v[i];
		json_t *item = NULL;

		snprintf(part + n, sizeof(c->fault->part) - n, "%s%.60s", n ? "." : "", m->key);
		if (spend_text(c, strlen(m->key)) < 0 || convert(c, m->index, &item) < 0)
			return -1;
		if (json_object_set_new(object, m->key, item) < 0)
			return refuse(c, "a name is not valid UTF-8");
	}
	part[n] = '\0';
	return 0;
}

static int convert_object(struct converter *c, int index, json_t **ret)
{
	_cleanup_json_ json_t *object = json_object();
	struct members members = { 0 };
	int rc = collect(c, index, &members);

	if (rc == 0)
		rc = convert_members(c, &members, object);
	array_deinit(&members.list);
	if (rc == 0)
		*ret = steal(object);
	return rc;
}

/* Whether all keys of a table are numbers, and how many there are. */
static bool is_list(lua_State *L, int index, size_t *ret_n)
{
	bool list = true;

	lua_pushnil(L);
	for (*ret_n = 0; list && lua_next(L, index); ++*ret_n) {
		list = lua_type(L, -2) == LUA_TNUMBER;
		lua_pop(L, 1);
	}
	if (!list)
		lua_pop(L, 1);
	return list;
}

static int convert_table(struct converter *c, int index, json_t **ret)
{
	size_t n;

	/* Of n numbers that are not 1 … n one of those is not there. */
	if (is_list(c->L, index, &n))
		return convert_array(c, index, n, ret);
	return convert_object(c, index, ret);
}

static int convert_value(struct converter *c, int index, json_t **ret)
{
	switch (lua_type(c->L, index)) {
	case LUA_TBOOLEAN:
		*ret = json_boolean(lua_toboolean(c->L, index));
		return 0;
	case LUA_TNUMBER:
		return convert_number(c, index, ret);
	case LUA_TSTRING:
		return convert_string(c, index, ret);
	case LUA_TUSERDATA:
		return convert_ref(c, index, ret);
	case LUA_TTABLE:
		return convert_table(c, index, ret);
	case LUA_TFUNCTION:
		return refuse(c, "a function cannot stand here");
	default:
		return refuse(c, "is nil");
	}
}

static int convert(struct converter *c, int index, json_t **ret)
{
	int top = lua_gettop(c->L), rc;

	if (c->depth >= DEPTH_MOST || !lua_checkstack(c->L, 4))
		return refuse(c, "nested too deeply");
	if (c->state->nodes == 0)
		return refuse(c, "the recipe holds too many values");
	c->state->nodes--;
	c->depth++;
	rc = convert_value(c, index, ret);
	c->depth--;
	lua_settop(c->L, top);
	return rc;
}

int values_to_json(lua_State *L, int index, json_t **ret, struct values_fault *ret_fault)
{
	struct converter c = { L, state_of(L), ret_fault, 0 };

	ret_fault->part[0] = '\0';
	return convert(&c, lua_absindex(L, index), ret);
}

void values_push(lua_State *L, const json_t *json)
{
	const char *key;
	size_t i;
	json_t *v;

	luaL_checkstack(L, 4, "a value is nested too deeply");
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		lua_newtable(L);
		json_object_foreach ((json_t *)json, key, v) {
			values_push(L, v);
			lua_setfield(L, -2, key);
		}
		break;
	case JSON_ARRAY:
		lua_newtable(L);
		json_array_foreach ((json_t *)json, i, v) {
			values_push(L, v);
			lua_rawseti(L, -2, (lua_Integer)i + 1);
		}
		break;
	case JSON_STRING:
		lua_pushlstring(L, json_string_value(json), json_string_length(json));
		break;
	case JSON_INTEGER:
		lua_pushinteger(L, json_integer_value(json));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		lua_pushboolean(L, json_is_true(json));
		break;
	default:
		lua_pushnil(L);
	}
}

/* ---- references in Lua ---- */

void values_push_ref(lua_State *L, bool leaf, const char *id, const char *path, int values)
{
	size_t n = strlen(id) + 1, m = strlen(path) + 1;
	struct ref_box *box;

	values = values ? lua_absindex(L, values) : 0;
	box = lua_newuserdatauv(L, sizeof(*box) + n + m, 1);
	box->leaf = leaf;
	box->path = n;
	memcpy(box->text, id, n);
	memcpy(box->text + n, path, m);
	if (values) {
		lua_pushvalue(L, values);
		lua_setiuservalue(L, -2, 1);
	}
	lua_getfield(L, LUA_REGISTRYINDEX, ref_key);
	lua_setmetatable(L, -2);
}

static const struct ref_box *check_ref(lua_State *L, int index)
{
	const struct ref_box *box = lua_touserdata(L, index);

	if (!box)
		luaL_argerror(L, index, "expected a stage or a source");
	return box;
}

/* ref:at(path): a part of what a stage makes or a source holds. */
static int ref_at(lua_State *L)
{
	const struct ref_box *box = check_ref(L, 1);
	const char *path = luaL_checkstring(L, 2);
	const char *fault = path[0] == '@' ? NULL : path_tree_fault(path);
	const char *base = box->text + box->path;

	if (fault)
		return luaL_error(L, "the path \"%s\" %s", path, fault);
	if (base[0])
		lua_pushfstring(L, "%s/%s", base, path);
	else
		lua_pushstring(L, path);
	values_push_ref(L, box->leaf, box->text, lua_tostring(L, -1), 0);
	return 1;
}

static int unknown_member(struct recipe_state *state, const char *key, struct err *err)
{
	static const char *const members[] = { "at", "id", "kind", "log", "path", "stdout", NULL };
	struct fault_at at = { .place = state_place(state->L) };
	const char *near = str_nearest(key, members);
	_cleanup_free_ char *note = near ? str_fmt("did you mean \"%s\"?", near) : NULL;

	return diagnose(state, &at, note, err, "a stage or source has no \"%.80s\"", key);
}

static int ref_index(lua_State *L)
{
	const struct ref_box *box = check_ref(L, 1);
	const char *key = luaL_checkstring(L, 2);

	if (lua_getiuservalue(L, 1, 1) == LUA_TTABLE) {
		lua_pushvalue(L, 2);
		if (lua_rawget(L, -2) != LUA_TNIL)
			return 1;
	}
	if (str_eq(key, "at"))
		lua_pushcfunction(L, ref_at);
	else if (str_eq(key, "id"))
		lua_pushstring(L, box->text);
	else if (str_eq(key, "path"))
		lua_pushstring(L, box->text + box->path);
	else if (str_eq(key, "kind"))
		lua_pushstring(L, box->leaf ? "leaf" : "stage");
	else if (!box->leaf && str_eq(key, "stdout"))
		values_push_ref(L, false, box->text, "@stdout", 0);
	else if (!box->leaf && str_eq(key, "log"))
		values_push_ref(L, false, box->text, "@log", 0);
	else {
		err_clear(&state_of(L)->err);
		unknown_member(state_of(L), key, &state_of(L)->err);
		return state_raise(L);
	}
	return 1;
}

static int ref_tostring(lua_State *L)
{
	const struct ref_box *box = check_ref(L, 1);

	lua_pushfstring(L, "%s %s%s%s", box->leaf ? "source" : "stage", box->text,
	                box->text[box->path] ? " " : "", box->text + box->path);
	return 1;
}

static int ref_eq(lua_State *L)
{
	const struct ref_box *a = lua_touserdata(L, 1), *b = lua_touserdata(L, 2);

	lua_pushboolean(L, a && b && a->leaf == b->leaf && str_eq(a->text, b->text) &&
	                           str_eq(a->text + a->path, b->text + b->path));
	return 1;
}

void values_open(lua_State *L)
{
	static const luaL_Reg methods[] = {
		{ "__index", ref_index },
		{ "__tostring", ref_tostring },
		{ "__eq", ref_eq },
		{ NULL, NULL },
	};

	lua_newtable(L);
	luaL_setfuncs(L, methods, 0);
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_setfield(L, LUA_REGISTRYINDEX, ref_key);
}
