/*
 * The sandboxed Lua state: a heap with a cap, an instruction budget that pcall cannot outlive,
 * no library that reaches the world, and `require` that knows the embedded library and the
 * project's own files.
 */
#include "recipe/state.h"

#include <ctype.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "base/str.h"
#include "external/crypto.h"
#include "host/fs.h"
#include "model/embedded.h"
#include "recipe/api.h"
#include "recipe/base_lib.h"
#include "recipe/declare.h"
#include "recipe/diagnose.h"
#include "recipe/modules.h"
#include "recipe/seen.h"
#include "recipe/whole.h"
#include "recipe/world.h"
#include "snapshot/snapshot.h"

enum {
	SOURCE_MOST = 1 << 20,
	HOOK_EVERY = 100, /* the place that an error of the heap names is at most that old */
	RAISE_COST = 10000,
	NODES_MOST = 1000000,
	PASSING_MOST = 10 * NODES_MOST,
	TEXT_MOST = 64 << 20,
	MEMORY_DEFAULT = 48 << 20,
};
static const long long INSTRUCTIONS_DEFAULT = 50 * 1000 * 1000;

/* What Lua keeps room for in front of its own state. */
struct extra {
	struct recipe_state *state;
};

struct recipe_state *state_of(lua_State *L)
{
	struct extra extra;

	memcpy(&extra, lua_getextraspace(L), sizeof(extra));
	return extra.state;
}

static void spend(lua_State *L, lua_Debug *ar);

static void note_place(struct recipe_state *state)
{
	struct place place = state_place(state->L);

	if (place.file)
		state->last_place = place;
}

/* ---- heap ---- */

enum { FAILURES_MOST = 10 };

static int memory_fault(struct recipe_state *state, struct err *err)
{
	struct fault_at at = { .place = state->last_place };

	return diagnose(state, &at, "here; does a list or a text grow without end?", err,
	                "the recipe needs more than %zu MiB of memory", state->memory_most >> 20);
}

/*
 * The cap says no. Lua then collects and asks again: only when it is refused the same once more has
 * something failed. A recipe that catches the error and goes on is ended like one that never ends. A
 * block that is to grow may be Lua's stack, which is no stack to look at then: the place is the one
 * that was seen last.
 */
static void *refuse_memory(struct recipe_state *state, size_t size, bool grows)
{
	bool again = size == state->refused;

	state->refused = again ? 0 : size;
	if (!state->L || state->exhausted)
		return NULL;
	if (!grows)
		note_place(state);
	state->failures += again;
	if (state->failures > FAILURES_MOST) {
		state->exhausted = true;
		state->instructions = 0;
		err_clear(&state->err);
		memory_fault(state, &state->err);
		lua_sethook(state->L, spend, LUA_MASKCOUNT, 1);
	}
	return NULL;
}

static void *capped_alloc(void *data, void *p, size_t old, size_t size)
{
	struct recipe_state *state = data;
	void *fresh;

	if (!p)
		old = 0; /* Lua passes a type tag there */
	if (size == 0) {
		free(p);
		state->memory -= old;
		return NULL;
	}
	if (size > old && size - old > state->memory_most - state->memory)
		return refuse_memory(state, size, p != NULL);
	fresh = realloc(p, size);
	if (!fresh)
		return NULL;
	state->memory += size - old;
	state->refused = 0;
	return fresh;
}

/* ---- places and budget ---- */

static const struct recipe_file *file_of_chunk(const struct recipe_state *state, const char *chunk)
{
	return chunk[0] == '@' ? map_get(state->files, chunk) : NULL;
}

struct place state_place(lua_State *L)
{
	const struct recipe_state *state = state_of(L);
	lua_Debug ar;

	for (int level = 0; lua_getstack(L, level, &ar); level++) {
		const struct recipe_file *file;

		lua_getinfo(L, "Sl", &ar);
		file = file_of_chunk(state, ar.source);
		if (file)
			return (struct place){ file, ar.currentline };
	}
	return (struct place){ 0 };
}

struct err *state_err(struct recipe_state *state)
{
	err_clear(&state->err);
	return &state->err;
}

int state_raise(lua_State *L)
{
	struct recipe_state *state = state_of(L);

	/* Making an error (places, nearest names) costs far more than the instruction that met it. */
	state->instructions -= RAISE_COST;
	lua_pushstring(L, state->err.cause);
	lua_error(L);
	__builtin_unreachable();
}

static void spend(lua_State *L, lua_Debug *ar)
{
	struct recipe_state *state = state_of(L);
	struct fault_at at = { 0 };

	(void)ar;
	note_place(state);
	at.place = state->last_place;
	state->instructions -= HOOK_EVERY;
	if (state->instructions > 0)
		return;
	if (!state->exhausted) {
		long long budget = state->request->instructions ? state->request->instructions :
		                                                  INSTRUCTIONS_DEFAULT;

		state->exhausted = true;
		err_clear(&state->err);
		diagnose(state, &at, "here; is there an endless loop?", &state->err,
		         "the recipe ran for more than %lld million Lua instructions",
		         budget / 1000000);
		/* From now on every instruction raises, so that pcall cannot go on. */
		lua_sethook(L, spend, LUA_MASKCOUNT, 1);
	}
	state_raise(L);
}

/* ---- files ---- */

static struct recipe_file *add_file(struct recipe_state *state, const char *path, char *chunk,
                                    const void *text, size_t n, bool embedded)
{
	struct recipe_file *file = alloc(sizeof(*file));
	struct digest digest;

	*file = (struct recipe_file){ str_dup(path), chunk, str_dup_n(text, n), n, embedded };
	map_set(state->files, chunk, file);
	digest_of(text, n, &digest);
	state_note_file(state, path, DIGEST_TEXT(&digest), embedded);
	return file;
}

void state_note_file(struct recipe_state *state, const char *path, const char *sha256,
                     bool embedded)
{
	json_t *files = json_object_get(state->document, "files");
	const char *origin = embedded ? "embedded" : "project";
	size_t i;
	json_t *v;

	json_array_foreach (files, i, v)
		if (str_eq(json_str_or(v, "path", ""), path) &&
		    str_eq(json_str_or(v, "origin", ""), origin))
			return;
	json_array_append_new(files, json_pack("{s:s,s:s,s:s}", "path", path, "sha256", sha256,
	                                       "origin", origin));
}

void state_unsure(const struct recipe_state *state)
{
	json_object_set_new(state->document, "unsure", json_true());
}

void state_note_peek(struct recipe_state *state, const char *path, const char *peeked)
{
	json_t *text = json_string(peeked);

	if (text)
		json_object_set_new(json_object_get(state->document, "peeked"), path, text);
	else /* no UTF-8 */
		state_unsure(state);
}

void state_note_listing(struct recipe_state *state, const char *path, const struct fs_names *names)
{
	struct digest digest;

	seen_listing(names, &digest);
	json_object_set_new(json_object_get(state->document, "listed"), path,
	                    json_string(DIGEST_TEXT(&digest)));
}

/* What a recipe sees of the project, besides what it reads: a later run may ask whether that is so
 * still. */
static void note_look(const struct recipe_state *state, const char *path, const struct stat *st)
{
	enum snapshot_kind kind = st ? snapshot_kind_of(st) : SNAPSHOT_NOTHING;

	json_object_set_new(json_object_get(state->document, "looked"), path, json_integer(kind));
}

/* By O_PATH first: a fifo or a device must not be opened, it could block or do something. */
static int look(const struct recipe_state *state, const char *path, int *ret_fd,
                struct stat *ret_st, struct err *err)
{
	_cleanup_fd_ int project = -1, found = -1;
	int rc = fs_open_dir(AT_FDCWD, state->request->project, &project, err);

	if (rc == 0)
		rc = fs_open_beneath(project, path, O_PATH, 0, false, &found, err);
	if (rc == 0 && fstat(found, ret_st) < 0)
		return err_sys(err, ERR_IO, "cannot look at %s", path);
	if (rc >= 0)
		note_look(state, path, rc == 0 ? ret_st : NULL);
	if (rc != 0)
		return rc;
	if (!ret_fd || !S_ISREG(ret_st->st_mode))
		return 0;
	rc = fs_open_beneath(project, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, false, ret_fd,
	                     err);
	if (rc == 0 && fstat(*ret_fd, ret_st) < 0)
		return err_sys(err, ERR_IO, "cannot look at %s", path);
	return rc;
}

int state_look(const struct recipe_state *state, const char *path, int *ret_fd, struct stat *ret_st,
               struct err *err)
{
	int rc = look(state, path, ret_fd, ret_st, err);

	if (rc < 0)
		state_unsure(state);
	return rc;
}

/* Its text, where it is one. */
static int read_text(const char *path, int fd, struct buf *text, struct err *err)
{
	if (fs_read_fd(fd, path, text, err) < 0)
		return -1;
	if (memchr(buf_text(text), '\0', text->n) || buf_text(text)[0] == '\033')
		return err_set(err, ERR_INPUT, "%s is not a text file", path);
	return 0;
}

int state_read(struct recipe_state *state, const char *path, const struct recipe_file **ret,
               struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(SOURCE_MOST);
	_cleanup_free_ char *chunk = str_fmt("@%s", path);
	_cleanup_fd_ int fd = -1;
	struct recipe_file *known = map_get(state->files, chunk);
	struct stat st;
	int rc;

	if (known) {
		*ret = known;
		return 0;
	}
	rc = state_look(state, path, &fd, &st, err);
	if (rc != 0)
		return rc;
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INPUT, "%s is not a regular file", path);
	if (read_text(path, fd, &text, err) < 0) {
		state_unsure(state);
		return -1;
	}
	*ret = add_file(state, path, steal(chunk), buf_text(&text), text.n, false);
	return 0;
}

const struct recipe_file *state_embedded(struct recipe_state *state, const char *module)
{
	_cleanup_free_ char *path = NULL, *chunk = str_fmt("=%s", module);
	const struct embedded_file *file;
	struct recipe_file *known = map_get(state->files, chunk);

	if (known || !str_starts(module, "kiln."))
		return known;
	path = str_fmt("recipes/lib/%s.lua", module + strlen("kiln."));
	for (char *p = path + strlen("recipes/lib/"); p < path + strlen(path) - 4; p++)
		if (*p == '.')
			*p = '/';
	file = embedded_find(path);
	if (!file)
		return NULL;
	return add_file(state, path, steal(chunk), file->data, file->size, true);
}

/* ---- opening and closing ---- */

/* Runs under pcall: what raises here finds the state whole and owned by its caller. */
static int open_inside(lua_State *L)
{
	base_lib_open(L);
	api_open(L);
	return 0;
}

int state_open(const struct recipe_request *request, struct recipe_state *state, struct err *err)
{
	*state = (struct recipe_state){
		.request = request,
		.memory_most = request->memory ? request->memory : MEMORY_DEFAULT,
		.instructions =
			request->instructions ? request->instructions : INSTRUCTIONS_DEFAULT,
		.nodes = NODES_MOST,
		.passing = PASSING_MOST,
		.text_left = TEXT_MOST,
		.files = map_new(),
		.addresses = map_new(),
		.wheres = map_new(),
		.targets = map_new(),
		.toolchains = map_new(),
		.folder = path_dir(request->recipe),
		.document = json_pack(
			"{s:s,s:{},s:{},s:{},s:{},s:{},s:[],s:[],s:[],s:[],s:[],s:[],s:[],s:[],s:"
			"[]}",
			"schema", "kiln.recipe/1", "leaves", "options", "looked", "listed",
			"peeked", "facts", "targets", "profiles", "smoke", "tests", "images",
			"workload_data", "artefacts", "files"),
	};
	if (str_eq(state->folder, "."))
		state->folder[0] = '\0';
	state->L = lua_newstate(capped_alloc, state);
	if (state->L) {
		const struct extra extra = { state };

		memcpy(lua_getextraspace(state->L), &extra, sizeof(extra));
		lua_pushcfunction(state->L, open_inside);
		if (lua_pcall(state->L, 0, 0, 0) == LUA_OK)
			return 0;
	}
	state_close(state);
	return err_set(err, ERR_BUG, "cannot open Lua in %zu bytes", state->memory_most);
}

void state_close(struct recipe_state *state)
{
	if (state->L)
		lua_close(state->L);
	state->L = NULL;
	for (size_t i = 0; i < map_count(state->files); i++) {
		struct recipe_file *file = map_at(state->files, i)->value;

		free(file->path);
		free(file->chunk);
		free(file->text);
		free(file);
	}
	for (size_t i = 0; i < map_count(state->toolchains); i++)
		json_decref(map_at(state->toolchains, i)->value);
	state->files = map_free(state->files);
	for (size_t i = 0; i < map_count(state->wheres); i++)
		free(map_at(state->wheres, i)->value);
	for (size_t i = 0; i < map_count(state->targets); i++)
		json_decref(map_at(state->targets, i)->value);
	state->addresses = map_free(state->addresses);
	state->wheres = map_free(state->wheres);
	state->targets = map_free(state->targets);
	state->toolchains = map_free(state->toolchains);
	json_decref(state->document);
	state->document = NULL;
	free(state->folder);
	state->folder = NULL;
}

/* ---- running ---- */

/* Notes where an error of Lua's own was raised, while its stack is still there. */
static int on_error(lua_State *L)
{
	struct recipe_state *state = state_of(L);
	const char *text = lua_type(L, 1) == LUA_TSTRING ? lua_tostring(L, 1) : NULL;

	if (state->exhausted || (text && str_eq(text, state->err.cause)))
		return 1;
	err_clear(&state->err);
	diagnose_lua(state, text ? text : "error(…) was called with something that is no text",
	             state_place(L), &state->err);
	lua_settop(L, 0);
	lua_pushstring(L, state->err.cause);
	return 1;
}

static int evaluate(lua_State *L)
{
	struct recipe_state *state = state_of(L);

	err_clear(&state->err);
	modules_load_prelude(L);
	modules_load_file(L, state->request->recipe);
	lua_call(L, 0, 1);
	return 0;
}

int state_run(struct recipe_state *state, struct err *err)
{
	lua_State *L = state->L;
	int rc;

	lua_sethook(L, spend, LUA_MASKCOUNT, HOOK_EVERY);
	lua_pushcfunction(L, on_error);
	lua_pushcfunction(L, evaluate);
	rc = lua_pcall(L, 0, 0, 1);
	lua_sethook(L, NULL, 0, 0);
	if (rc == LUA_ERRMEM && !state->exhausted)
		return memory_fault(state, err);
	if ((rc != LUA_OK || state->exhausted) && state->err.code != ERR_NONE) {
		*err = state->err;
		return -1;
	}
	if (rc != LUA_OK)
		return err_set(err, ERR_INPUT, "%s: an error while handling an error",
		               state->request->recipe);
	if (whole_check(state, err) < 0)
		return -1;
	return world_finish(state, err);
}
