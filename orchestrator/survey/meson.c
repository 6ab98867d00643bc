/* Meson: the executables that meson.build files declare, from the root down. */
#include <string.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/str.h"
#include "model/spdx.h"
#include "model/version.h"
#include "survey/calls.h"
#include "survey/surveyor.h"

enum { FILES_MOST = 500 };

struct program {
	const char *path;      /* below the build folder */
	bool installed, aside; /* aside: for developers, by its name or its sources' folder */
};

struct meson {
	struct survey *s;
	struct map *read;
	ARRAY(struct program) programs;
	bool libraries;
	size_t unknown; /* executables whose names hang on variables */
};

/* The text behind "key:"; NULL where the call has none. */
static const char *keyword(const struct call *call, const char *key)
{
	size_t n = strlen(key);

	for (size_t i = 0; i < call->n_args; i++)
		if (strncmp(call->args[i], key, n) == 0 && call->args[i][n] == ':')
			return call->args[i] + n + 1;
	return NULL;
}

static bool is_optional(const struct call *call)
{
	const char *required = keyword(call, "required");

	/* Anything but true hangs on an option of the project. */
	return required && !str_eq(required, "true");
}

static void on_project(struct meson *m, const struct call *call)
{
	const char *version = keyword(call, "version"), *license = keyword(call, "license");

	if (call->n_args)
		survey_call(m->s, call->args[0]);
	if (version && !version_fault(version))
		m->s->version = version;
	if (license && license[0] && !spdx_fault(license)) {
		m->s->license = license;
		m->s->license_from = "meson.build";
	}
}

static void on_executable(struct meson *m, const char *dir, const struct call *call)
{
	const char *name = call->n_args ? call->args[0] : "", *install = keyword(call, "install");
	const char *source = call->n_args > 1 ? call->args[1] : "";

	if (!name[0] || strchr(name, ':') || strchr(name, '@')) {
		m->unknown++;
		return;
	}
	array_push(&m->programs,
	           ((struct program){ dir[0] ? arena_fmt(m->s->arena, "%s/%s", dir, name) : name,
	                              install && !str_eq(install, "false"),
	                              survey_is_for_developers(name) || survey_is_aside(source) }));
}

static void on_dependency(struct meson *m, const struct call *call)
{
	if (call->n_args && call->args[0][0] && !strchr(call->args[0], ':') && !is_optional(call) &&
	    !keyword(call, "fallback"))
		survey_needs_library(m->s, call->args[0]);
}

static void on_program(struct meson *m, const struct call *call)
{
	if (call->n_args && call->args[0][0] && !is_optional(call))
		survey_needs_tool(m->s, call->args[0]);
}

static void read_file(struct meson *m, const char *dir);

static void on_call(struct meson *m, const char *dir, const struct call *call)
{
	const char *first = call->n_args ? call->args[0] : "";

	if (str_eq(call->name, "project") && !dir[0])
		on_project(m, call);
	else if (str_eq(call->name, "executable"))
		on_executable(m, dir, call);
	else if (str_eq(call->name, "dependency"))
		on_dependency(m, call);
	else if (str_eq(call->name, "find_program"))
		on_program(m, call);
	else if (str_eq(call->name, "library") || str_eq(call->name, "both_libraries"))
		m->libraries = true;
	else if (str_eq(call->name, "subdir") && first[0])
		read_file(m, dir[0] ? arena_fmt(m->s->arena, "%s/%s", dir, first) : first);
}

static void read_file(struct meson *m, const char *dir)
{
	const char *path = dir[0] ? arena_fmt(m->s->arena, "%s/meson.build", dir) : "meson.build";
	struct calls calls = { 0 };
	const char *text;

	if (survey_is_aside(path) || map_has(m->read, path) || map_count(m->read) >= FILES_MOST)
		return;
	map_set(m->read, path, m);
	text = survey_text(m->s, path);
	if (!text)
		return;
	calls_read_meson(m->s->arena, text, &calls);
	for (size_t i = 0; i < calls.n; i++)
		on_call(m, dir, &calls.v[i]);
	calls_deinit(&calls);
}

/* Options of the project that build what no package holds: tests and examples. */
static void turn_off(struct meson *m, struct buf *options)
{
	static const char *const files[] = { "meson.options", "meson_options.txt", NULL };
	static const char *const names[] = { "tests",       "test",           "enable_tests",
		                             "build_tests", "examples",       "build_examples",
		                             "testing",     "enable_testing", NULL };
	struct calls calls = { 0 };
	const char *text = NULL;

	for (size_t i = 0; files[i] && !text; i++)
		text = survey_text(m->s, files[i]);
	if (text)
		calls_read_meson(m->s->arena, text, &calls);
	for (size_t i = 0; i < calls.n; i++) {
		const struct call *call = &calls.v[i];
		const char *type = keyword(call, "type");

		for (size_t k = 0; type && call->n_args && names[k]; k++)
			if (str_eq(call->args[0], names[k]))
				buf_fmt(options, "%s%s = \"%s\"", options->n ? ", " : "", names[k],
				        str_eq(type, "boolean") ? "false" : "disabled");
	}
	calls_deinit(&calls);
}

static void set_options(struct meson *m)
{
	_cleanup_buf_ struct buf options = BUF_INIT(4096);

	if (m->libraries)
		buf_add_str(&options, "default_library = \"static\"");
	turn_off(m, &options);
	if (options.n)
		survey_set(m->s, "options",
		           m->libraries ?
		                   "the package holds programs: own libraries are linked in" :
		                   "no package holds these",
		           "{ %s }", buf_text(&options));
}

static const char *recognise(const struct survey *s)
{
	return survey_has(s, "meson.build") ? "meson.build" : NULL;
}

static void take_programs(struct meson *m)
{
	bool some = false;

	for (size_t i = 0; i < m->programs.n; i++)
		some |= m->programs.v[i].installed;
	for (size_t i = 0; i < m->programs.n; i++)
		if (some ? m->programs.v[i].installed : !m->programs.v[i].aside)
			survey_add(&m->s->bins, m->programs.v[i].path);
	if (m->s->bins.n == 0)
		survey_guess(m->s, "no executable() for users was understood");
	else if (m->unknown)
		survey_note(
			m->s,
			"%zu executable() with a name that hangs on a variable: add to `bins` and "
			"`targets` what it makes for users",
			m->unknown);
}

static int look(struct survey *s, struct err *err)
{
	struct meson m = { .s = s, .read = map_new() };

	(void)err;
	read_file(&m, "");
	take_programs(&m);
	survey_set(s, "bins", survey_bins_comment(s, "below the build folder"), "%s",
	           survey_list(s, &s->bins));
	if (!s->guessed)
		survey_set(s, "targets", "only these are built", "%s", survey_list(s, &s->bins));
	set_options(&m);
	if (survey_mentions(s, "**meson.build", "\ntest("))
		survey_propose_test(
			s, "meson test", "{}",
			"runs the project's own tests before a release: leave `targets` out");
	map_free(m.read);
	array_deinit(&m.programs);
	return 0;
}

const struct surveyor surveyor_meson = { "meson", "Meson", recognise, look };
