/* CMake: the targets that CMakeLists.txt files add, from the root down. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/str.h"
#include "model/version.h"
#include "survey/calls.h"
#include "survey/surveyor.h"

enum { FILES_MOST = 500, EXPAND_MOST = 10, VALUE_MOST = 4096 };

struct target {
	const char *name;
	const char *program; /* what the file is called */
	bool installed;
};

struct cmake {
	struct survey *s;
	struct map *variables;
	struct map *read; /* files, each once */
	ARRAY(struct target) targets;
	bool shared;    /* a library that would be shared unless told otherwise */
	size_t unknown; /* executables whose names hang on variables */
};

/* ---- words -------------------------------------------------------------------------------- */

/* A word with its variables filled in; NULL where one is not known. */
static const char *expand(struct cmake *c, const char *word, int depth)
{
	_cleanup_buf_ struct buf text = BUF_INIT(VALUE_MOST);

	if (depth > EXPAND_MOST)
		return NULL;
	while (*word) {
		const char *end = strncmp(word, "${", 2) == 0 ? strchr(word, '}') : NULL;
		const char *name, *value;

		if (!end) {
			buf_add_char(&text, *word++);
			continue;
		}
		name = arena_str_n(c->s->arena, word + 2, (size_t)(end - word - 2));
		value = map_get(c->variables, name);
		value = value ? expand(c, value, depth + 1) : NULL;
		if (!value)
			return NULL;
		buf_add_str(&text, value);
		word = end + 1;
	}
	return arena_str(c->s->arena, buf_text(&text));
}

static bool has_arg(const struct call *call, const char *word)
{
	for (size_t i = 0; i < call->n_args; i++)
		if (str_eq(call->args[i], word))
			return true;
	return false;
}

/* What follows a keyword; NULL where it is not there. */
static const char *behind(const struct call *call, const char *word)
{
	for (size_t i = 0; i + 1 < call->n_args; i++)
		if (str_eq(call->args[i], word))
			return call->args[i + 1];
	return NULL;
}

static struct target *find_target(struct cmake *c, const char *name)
{
	for (size_t i = 0; name && i < c->targets.n; i++)
		if (str_eq(c->targets.v[i].name, name))
			return &c->targets.v[i];
	return NULL;
}

/* ---- commands ----------------------------------------------------------------------------- */

static void on_project(struct cmake *c, const struct call *call)
{
	const char *version = behind(call, "VERSION");

	if (call->n_args == 0 || map_has(c->variables, "PROJECT_NAME"))
		return;
	map_set(c->variables, "PROJECT_NAME", (void *)call->args[0]);
	map_set(c->variables, "CMAKE_PROJECT_NAME", (void *)call->args[0]);
	survey_call(c->s, call->args[0]);
	version = version ? expand(c, version, 0) : NULL;
	if (version && !version_fault(version))
		c->s->version = version;
}

static void on_set(struct cmake *c, const struct call *call)
{
	if (call->n_args >= 2 && !map_has(c->variables, call->args[0]))
		map_set(c->variables, call->args[0], (void *)call->args[1]);
}

static void on_executable(struct cmake *c, const struct call *call)
{
	const char *name = call->n_args ? expand(c, call->args[0], 0) : NULL;

	if (!name)
		c->unknown++;
	if (!name || has_arg(call, "IMPORTED") || has_arg(call, "ALIAS") || find_target(c, name))
		return;
	array_push(&c->targets, ((struct target){ name, name, false }));
}

static void on_library(struct cmake *c, const struct call *call)
{
	static const char *const kinds[] = { "STATIC",    "SHARED", "MODULE",   "OBJECT",
		                             "INTERFACE", "ALIAS",  "IMPORTED", NULL };

	for (size_t i = 0; kinds[i]; i++)
		if (has_arg(call, kinds[i]))
			return;
	c->shared = true;
}

/* A target's file has another name. Several names in branches: the first that is known. */
static void on_properties(struct cmake *c, const struct call *call)
{
	const char *name = behind(call, "OUTPUT_NAME");

	name = name ? expand(c, name, 0) : NULL;
	for (size_t i = 0; name && i < call->n_args && !str_eq(call->args[i], "PROPERTIES"); i++) {
		struct target *target = find_target(c, expand(c, call->args[i], 0));

		if (target)
			target->program = name;
	}
}

static void on_install(struct cmake *c, const struct call *call)
{
	if (call->n_args == 0 || !str_eq(call->args[0], "TARGETS"))
		return;
	for (size_t i = 1; i < call->n_args; i++) {
		struct target *target = find_target(c, expand(c, call->args[i], 0));

		if (target)
			target->installed = true;
	}
}

static void on_package(struct cmake *c, const struct call *call)
{
	const char *name = call->n_args ? call->args[0] : "";

	if (!has_arg(call, "REQUIRED") || strstr(name, "${"))
		return;
	if (strcasecmp(name, "PkgConfig") == 0)
		survey_add(&c->s->packages, "pkgconf");
	else if (strcasecmp(name, "BISON") == 0 || strcasecmp(name, "FLEX") == 0 ||
	         strcasecmp(name, "Perl") == 0)
		survey_needs_tool(c->s, strcasecmp(name, "BISON") == 0 ? "bison" :
		                        strcasecmp(name, "FLEX") == 0  ? "flex" :
		                                                         "perl");
	else if (strncasecmp(name, "Python", 6) == 0)
		survey_needs_tool(c->s, "python3");
	else
		survey_needs_library(c->s, name);
}

/* pkg_check_modules(PREFIX REQUIRED [IMPORTED_TARGET] zlib>=1.2 …) */
static void on_modules(struct cmake *c, const struct call *call)
{
	if (!has_arg(call, "REQUIRED"))
		return;
	survey_add(&c->s->packages, "pkgconf");
	for (size_t i = 1; i < call->n_args; i++) {
		const char *word = call->args[i];

		if (!str_eq(word, "REQUIRED") && !str_eq(word, "IMPORTED_TARGET") &&
		    !str_eq(word, "QUIET") && !strstr(word, "${"))
			survey_needs_library(c->s,
			                     arena_str_n(c->s->arena, word, strcspn(word, "<>=")));
	}
}

static void read_file(struct cmake *c, const char *dir);

static void on_subdirectory(struct cmake *c, const char *dir, const struct call *call)
{
	const char *sub = call->n_args ? expand(c, call->args[0], 0) : NULL;

	if (sub)
		read_file(c, dir[0] ? arena_fmt(c->s->arena, "%s/%s", dir, sub) : sub);
}

static void on_call(struct cmake *c, const char *dir, const struct call *call)
{
	static const struct {
		const char *name;
		void (*on)(struct cmake *c, const struct call *call);
	} known[] = {
		{ "project", on_project },
		{ "set", on_set },
		{ "add_executable", on_executable },
		{ "add_library", on_library },
		{ "set_target_properties", on_properties },
		{ "install", on_install },
		{ "find_package", on_package },
		{ "pkg_check_modules", on_modules },
		{ "pkg_search_module", on_modules },
	};

	if (str_eq(call->name, "add_subdirectory"))
		on_subdirectory(c, dir, call);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (str_eq(call->name, known[i].name))
			known[i].on(c, call);
}

static void read_file(struct cmake *c, const char *dir)
{
	const char *path =
		dir[0] ? arena_fmt(c->s->arena, "%s/CMakeLists.txt", dir) : "CMakeLists.txt";
	struct calls calls = { 0 };
	const char *text;

	if (survey_is_aside(path) || map_has(c->read, path) || map_count(c->read) >= FILES_MOST)
		return;
	map_set(c->read, path, c);
	text = survey_text(c->s, path);
	if (!text)
		return;
	calls_read_cmake(c->s->arena, text, &calls);
	for (size_t i = 0; i < calls.n; i++)
		on_call(c, dir, &calls.v[i]);
	calls_deinit(&calls);
}

/* ---- what is found ------------------------------------------------------------------------ */

/* Programs that are installed; where none is, all. Only they are built, not tests and documents. */
static void take_targets(struct cmake *c)
{
	struct survey_words targets = { 0 };
	bool some = false;

	for (size_t i = 0; i < c->targets.n; i++)
		some |= c->targets.v[i].installed;
	for (size_t i = 0; i < c->targets.n; i++) {
		if (some ? !c->targets.v[i].installed :
		           survey_is_for_developers(c->targets.v[i].name))
			continue;
		survey_add(&c->s->bins, c->targets.v[i].program);
		survey_add(&targets, c->targets.v[i].name);
	}
	if (targets.n == 0)
		survey_guess(c->s, "no add_executable for users was understood");
	else if (c->unknown)
		survey_note(
			c->s,
			"%zu add_executable with a name that hangs on a variable: add to `bins` and "
			"`targets` what it makes for users",
			c->unknown);
	survey_set(c->s, "bins", survey_bins_comment(c->s, "found in the build folder"), "%s",
	           survey_list(c->s, &c->s->bins));
	if (targets.n)
		survey_set(c->s, "targets", "only these are built", "%s",
		           survey_list(c->s, &targets));
	array_deinit(&targets);
}

static const char *recognise(const struct survey *s)
{
	return survey_has(s, "CMakeLists.txt") ? "CMakeLists.txt" : NULL;
}

static int look(struct survey *s, struct err *err)
{
	struct cmake c = { .s = s, .variables = map_new(), .read = map_new() };

	(void)err;
	read_file(&c, "");
	take_targets(&c);
	if (c.shared)
		survey_set(s, "options", "the package holds programs: own libraries are linked in",
		           "{ BUILD_SHARED_LIBS = \"OFF\" }");
	if (survey_mentions(s, "**CMakeLists.txt", "add_test"))
		survey_propose_test(
			s, "ctest", "{}",
			"runs the project's own tests before a release: leave `targets` out");
	map_free(c.variables);
	map_free(c.read);
	array_deinit(&c.targets);
	return 0;
}

const struct surveyor surveyor_cmake = { "cmake", "CMake", recognise, look };
