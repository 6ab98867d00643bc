/*
 * git.version, read, script, regex and option. As everywhere here: an inner half that owns things and never raises,
 * an outer half that owns nothing and raises last.
 */
#include "recipe/world.h"

#include <errno.h>
#include <lauxlib.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"
#include "base/str.h"
#include "external/git.h"
#include "host/fs.h"
#include "model/version.h"
#include "recipe/diagnose.h"
#include "recipe/seen.h"

enum { VERSION_MOST = 200, OPTION_MOST = 1000, SCRIPT_LINE = 256, REGEX_WHY = 200 };

/* ---- git.version -------------------------------------------------------------------------- */

struct described {
	const char *glob;
	struct git_repo repo;
	bool exact; /* a tag lies on the commit, and what is made of it is that version */
	bool dirty; /* what is made differs from what any commit says */
	char *tag;  /* the one it goes by; NULL: there is none */
	unsigned long distance;
	size_t changed;
};

static void described_deinit(struct described *d)
{
	git_close(&d->repo);
	free(d->tag);
}

static int refuse(struct recipe_state *state, const char *note, const char *text)
{
	const struct fault_at at = { .place = state_place(state->L), .callee = "version" };

	return diagnose(state, &at, note, state_err(state), "git.version: %s", text);
}

/* A tag is what the glob says up to its first '*', and a version behind. */
static const char *version_of(const struct described *d, const char *tag)
{
	size_t n = strcspn(d->glob, "*?[");

	return strncmp(tag, d->glob, n) == 0 ? tag + n : tag;
}

static int refuse_tag(struct recipe_state *state, const struct described *d, const char *tag)
{
	_cleanup_free_ char *text =
		str_fmt("the tag \"%s\" is no version: %s", tag, version_fault(version_of(d, tag)));

	return refuse(
		state,
		!strpbrk(d->glob, "*?[") ?
			"a pattern says where the version begins: tag = \"v*\" takes v1.0 for "
			"1.0" :
		str_eq(d->glob, "v[0-9]*") ?
			"take it away (git tag -d), or name a pattern that it does not fit" :
			"narrow the pattern, as in tag = \"v[0-9]*\"",
		text);
}

/* Of the tags on one commit the newest version; where all that fit the pattern are none, an error. */
static int newest(struct recipe_state *state, struct described *d, const char *list)
{
	struct str rest = str_of(list), line;
	_cleanup_free_ char *wrong = NULL;

	while (str_cut(&rest, '\n', &line)) {
		_cleanup_free_ char *tag = str_dup_n(line.p, line.n);

		if (!tag[0])
			continue;
		if (version_fault(version_of(d, tag))) {
			free(wrong);
			wrong = steal(tag);
			continue;
		}
		if (d->tag && version_cmp(version_of(d, tag), version_of(d, d->tag)) <= 0)
			continue;
		free(d->tag);
		d->tag = steal(tag);
	}
	return wrong && !d->tag ? refuse_tag(state, d, wrong) : 0;
}

static int find_behind(struct recipe_state *state, struct described *d, struct err *err)
{
	_cleanup_free_ char *nearest = NULL, *commit = NULL, *list = NULL;
	int rc = git_nearest_tag(&d->repo, d->glob, &nearest, &d->distance, err);

	if (rc < 0)
		return -1;
	if (rc == 0) {
		/* git names one of several that may lie there; the newest version counts. */
		commit = str_fmt("refs/tags/%s^{commit}", nearest);
		return git_tags_at(&d->repo, commit, d->glob, &list, err) < 0 ?
		               -1 :
		               newest(state, d, list);
	}
	if (d->repo.shallow)
		return refuse(state, "fetch it: git fetch --unshallow --tags",
		              "this clone is shallow, and the tags lie in the history it lacks");
	return git_count(&d->repo, &d->distance, err);
}

/* git takes such a bracket for nothing that a tag could have. */
static bool has_open_bracket(const char *glob)
{
	const char *open = strrchr(glob, '[');

	return open && !strchr(open, ']');
}

static int open_repo(struct recipe_state *state, struct described *d, struct err *err)
{
	_cleanup_free_ char *dir = path_join(state->request->project, state->folder);
	_cleanup_free_ char *text = NULL;
	int rc = git_open(dir, &d->repo, err);

	if (d->glob[0] == '-')
		return refuse(state, NULL, "a tag's pattern does not begin with a dash");
	if (!d->glob[0] || has_open_bracket(d->glob))
		return refuse(state, "as in tag = \"v[0-9]*\"",
		              d->glob[0] ? "the tag's pattern has a [ without its ]" :
		                           "the tag's pattern is empty: no tag fits it");
	if (rc < 0)
		return -1;
	if (rc == GIT_NONE) {
		text = str_fmt("%s lies in no git repository", dir);
		return refuse(state,
		              "make it one (git init; git add .; git commit), or write "
		              "version = \"1.0\"",
		              text);
	}
	if (d->repo.head)
		return 0;
	return refuse(state, "commit first: git add .; git commit", "nothing is committed yet");
}

/* A release is made of the commit, and refused where something is changed beside it; a snapshot is made
 * all the same, by a recipe that may be in no commit, and its version says so. */
static int find_dirty(struct recipe_state *state, struct described *d, struct err *err)
{
	const struct recipe_request *request = state->request;
	_cleanup_free_ char *recipe = path_join(request->project, request->recipe), *first = NULL;
	const char *const paths[] = { recipe, NULL };

	d->dirty = d->changed > 0 && (!request->committed || request->snapshot);
	if (d->dirty || !request->snapshot)
		return 0;
	if (git_untracked(&d->repo, paths, &first, err) < 0)
		return -1;
	d->dirty = first != NULL;
	return 0;
}

static int describe(struct recipe_state *state, struct described *d, struct err *err)
{
	_cleanup_free_ char *here = NULL, *first = NULL;

	if (open_repo(state, d, err) < 0 || git_changed(&d->repo, &d->changed, &first, err) < 0 ||
	    git_tags_at(&d->repo, "HEAD", d->glob, &here, err) < 0 || newest(state, d, here) < 0 ||
	    find_dirty(state, d, err) < 0)
		return -1;
	/* What was asked for as a snapshot passes for no version, whatever lies beside the commit. */
	d->exact = d->tag && !d->dirty && !state->request->snapshot;
	return d->tag ? 0 : find_behind(state, d, err);
}

/* Fills version[VERSION_MOST] and notes the fact. */
static int git_version(struct recipe_state *state, const char *glob, char *version)
{
	struct err *err = state_err(state);
	struct described d = { .glob = glob };
	_cleanup_free_ char *text = NULL;
	const char *base;

	if (describe(state, &d, err) < 0) {
		described_deinit(&d);
		return -1;
	}
	base = d.tag ? version_of(&d, d.tag) : "0.0.0";
	text = d.exact ? str_dup(base) : version_snapshot(base, d.distance, d.repo.head, d.dirty);
	snprintf(version, VERSION_MOST, "%s", text);
	json_array_append_new(json_object_get(state->document, "facts"),
	                      json_pack("{s:s,s:s,s:s,s:s,s:b,s:I}", "kind", "git.version", "tag",
	                                glob, "version", text, "commit", d.repo.head, "snapshot",
	                                !d.exact, "changed", (json_int_t)d.changed));
	described_deinit(&d);
	return 0;
}

static int api_git_version(lua_State *L)
{
	char version[VERSION_MOST];

	if (git_version(state_of(L), luaL_checkstring(L, 1), version) < 0)
		return state_raise(L);
	lua_pushstring(L, version);
	return 1;
}

/* ---- read --------------------------------------------------------------------------------- */

static int read_text(struct recipe_state *state, const char *path, const struct recipe_file **ret)
{
	_cleanup_free_ char *full =
		state->folder[0] ? path_join(state->folder, path) : str_dup(path);
	const struct fault_at at = { .place = state_place(state->L), .callee = "read" };
	struct err fault = ERR_INIT;
	int rc;

	if (!path_is_tree(path))
		return diagnose(state, &at, NULL, state_err(state), "read: the file \"%s\" %s",
		                path, path_tree_fault(path));
	rc = state_read(state, full, ret, &fault);
	if (rc == 0)
		return 0;
	return diagnose(state, &at, rc > 0 ? "paths are relative to the recipe" : NULL,
	                state_err(state), "read: %s%s", rc > 0 ? "there is no file " : fault.cause,
	                rc > 0 ? path : "");
}

static int api_read(lua_State *L)
{
	const struct recipe_file *file;

	if (read_text(state_of(L), luaL_checkstring(L, 1), &file) < 0)
		return state_raise(L);
	lua_pushlstring(L, file->text, file->n);
	return 1;
}

/* ---- script ------------------------------------------------------------------------------- */

/*
 * What must be in the image for a script: the program of its first line, or the one that
 * /usr/bin/env is to find. Empty: the line names none.
 */
static void interpreter_of(const char *line, char *name)
{
	static const char blank[] = " \t\r\n";
	bool by_env = false;

	name[0] = '\0';
	if (strncmp(line, "#!", 2) != 0)
		return;
	for (line += 2; *(line += strspn(line, blank)) != '\0';) {
		size_t n = strcspn(line, blank);
		bool env_word = by_env && (line[0] == '-' || memchr(line, '=', n));

		if (!env_word)
			snprintf(name, SCRIPT_LINE, "%.*s", (int)n, line);
		if (!env_word && (by_env || !str_eq(path_base(name), "env")))
			return;
		by_env = true;
		line += n;
	}
}

static int look_at_script(struct recipe_state *state, const char *path, bool *ret_executable,
                          char *ret_interpreter)
{
	_cleanup_free_ char *full =
		state->folder[0] ? path_join(state->folder, path) : str_dup(path);
	const struct fault_at at = { .place = state_place(state->L), .callee = "script" };
	_cleanup_fd_ int fd = -1;
	char peek[SEEN_PEEK];
	struct err fault = ERR_INIT;
	struct stat st;
	int rc = path_is_tree(path) ? state_look(state, full, &fd, &st, &fault) : FS_MISSING;

	if (rc == 0 && seen_peek(fd, peek) < 0)
		rc = err_set(&fault, ERR_INPUT, "it cannot be read");
	if (rc != 0)
		return diagnose(state, &at, NULL, state_err(state), "script \"%s\": %s", path,
		                rc > 0 ? "there is no such file" : fault.cause);
	state_note_peek(state, full, peek);
	*ret_executable = peek[0] == 'x';
	interpreter_of(peek + 1, ret_interpreter);
	return 0;
}

/* kiln.script(path): whether it may be executed, and the program that reads it, or nil. */
static int api_script(lua_State *L)
{
	char interpreter[SCRIPT_LINE];
	bool executable;

	if (look_at_script(state_of(L), luaL_checkstring(L, 1), &executable, interpreter) < 0)
		return state_raise(L);
	lua_pushboolean(L, executable);
	lua_pushstring(L, interpreter[0] ? interpreter : NULL);
	return 2;
}

/* ---- regex -------------------------------------------------------------------------------- */

/* kiln.regex(text): what is wrong with an extended regular expression; nil: nothing. */
static int api_regex(lua_State *L)
{
	regex_t regex;
	char why[REGEX_WHY] = "";
	int rc = regcomp(&regex, luaL_checkstring(L, 1), REG_EXTENDED);

	if (rc == 0)
		regfree(&regex);
	else
		regerror(rc, &regex, why, sizeof(why));
	lua_pushstring(L, rc == 0 ? NULL : why);
	return 1;
}

/* ---- option ------------------------------------------------------------------------------- */

/* What was given, of the default's type; NULL: nothing was. A new reference, or -1 by *ret_bad. */
static json_t *given(const struct recipe_state *state, const char *name, int type, bool *ret_bad)
{
	const char *text = json_str_or(state->request->set, name, NULL);
	char *end;
	long long number;

	*ret_bad = false;
	if (!text)
		return NULL;
	if (type == LUA_TSTRING)
		return json_string(text);
	if (type == LUA_TBOOLEAN && (str_eq(text, "true") || str_eq(text, "false")))
		return json_boolean(str_eq(text, "true"));
	errno = 0;
	number = strtoll(text, &end, 10);
	if (type == LUA_TNUMBER && *text && *end == '\0' && errno == 0)
		return json_integer(number);
	*ret_bad = true;
	return NULL;
}

static json_t *default_of(lua_State *L, int index)
{
	switch (lua_type(L, index)) {
	case LUA_TSTRING:
		return json_string(lua_tostring(L, index));
	case LUA_TBOOLEAN:
		return json_boolean(lua_toboolean(L, index));
	case LUA_TNUMBER:
		return lua_isinteger(L, index) ? json_integer(lua_tointeger(L, index)) : NULL;
	default:
		return NULL;
	}
}

/* Notes the option's value and hands it out, borrowed. */
static int option(struct recipe_state *state, const char *name, const json_t **ret)
{
	static const char *const words[] = {
		[LUA_TBOOLEAN] = "true or false", [LUA_TNUMBER] = "a whole number"
	};
	const struct fault_at at = { .place = state_place(state->L), .callee = "option" };
	json_t *options = json_object_get(state->document, "options");
	int type = lua_type(state->L, 2);
	_cleanup_json_ json_t *fallback = default_of(state->L, 2);
	json_t *value;
	bool bad;

	if (!str_is_utf8(str_of(name)))
		return diagnose(state, &at, NULL, state_err(state),
		                "option: its name is no UTF-8 text");
	if (!fallback)
		return diagnose(state, &at, "as in option(\"name\", \"default\")", state_err(state),
		                "option: a default is text, true or false, or a whole number");
	if (json_object_get(options, name))
		return diagnose(state, &at, NULL, state_err(state),
		                "option: \"%s\" is asked for twice", name);
	value = given(state, name, type, &bad);
	if (bad)
		return diagnose(state, &at, NULL, state_err(state),
		                "option: --set %s=%s: expected %s", name,
		                json_str_or(state->request->set, name, ""), words[type]);
	json_object_set_new(options, name, value ? value : json_incref(fallback));
	*ret = json_object_get(options, name);
	return 0;
}

static int api_option(lua_State *L)
{
	const char *name = luaL_checkstring(L, 1);
	const json_t *value;

	lua_settop(L, 2);
	if (option(state_of(L), name, &value) < 0)
		return state_raise(L);
	if (json_is_string(value))
		lua_pushstring(L, json_string_value(value));
	else if (json_is_integer(value))
		lua_pushinteger(L, json_integer_value(value));
	else
		lua_pushboolean(L, json_is_true(value));
	return 1;
}

void world_open(lua_State *L)
{
	static const luaL_Reg functions[] = { { "git_version", api_git_version },
		                              { "read", api_read },
		                              { "regex", api_regex },
		                              { "script", api_script },
		                              { "option", api_option },
		                              { NULL, NULL } };

	luaL_setfuncs(L, functions, 0);
}

int world_finish(struct recipe_state *state, struct err *err)
{
	json_t *options = json_object_get(state->document, "options"), *v;
	const char *names[OPTION_MOST + 1] = { 0 }, *name, *near;
	size_t n = 0;

	json_object_foreach (options, name, v)
		if (n < OPTION_MOST)
			names[n++] = name;
	json_object_foreach ((json_t *)state->request->set, name, v) {
		if (json_object_get(options, name))
			continue;
		near = str_nearest(name, names);
		err_set(err, ERR_USAGE, "--set %s: %s asks for no such option", name,
		        state->request->recipe);
		if (near)
			return err_hint(err, "did you mean \"%s\"?", near);
		return n ? err_hint(err, "its first one is \"%s\"", names[0]) :
		           err_hint(err, "it asks for none: option(\"%s\", DEFAULT)", name);
	}
	return 0;
}
