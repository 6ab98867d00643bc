/* A plain Makefile: its programs, and of its flags those that the sources need. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "base/str.h"
#include "survey/programs.h"
#include "survey/surveyor.h"

static const char *recognise(const struct survey *s)
{
	static const char *const names[] = { "GNUmakefile", "makefile", "Makefile", NULL };

	/* Of a project with autoconf it is what configure makes, or a help for its developers. */
	if (surveyor_autotools.recognise(s))
		return NULL;
	for (size_t i = 0; names[i]; i++)
		if (survey_has(s, names[i]))
			return names[i];
	return survey_has(s, "configure") ? "configure" : NULL;
}

/* The file to read: of a configure of the project's own what it makes the Makefile from. */
static const char *find_makefile(const struct survey *s)
{
	const char *file = recognise(s);

	if (!str_eq(file, "configure"))
		return file;
	return survey_has(s, "Makefile.in") ? "Makefile.in" : NULL;
}

/* ---- flags -------------------------------------------------------------------------------- */

/* Flags that say what the sources mean, not how well or with which warnings they are compiled. */
static bool is_needed(const char *flag)
{
	static const char *const starts[] = { "-I",
		                              "-D",
		                              "-U",
		                              "-std=",
		                              "-include",
		                              "-pthread",
		                              "-l",
		                              "-L",
		                              "-ansi",
		                              "-static",
		                              "-fcommon",
		                              "-fwrapv",
		                              "-fno-strict-aliasing",
		                              "-funsigned-char",
		                              "-fsigned-char",
		                              NULL };

	for (size_t i = 0; starts[i]; i++)
		if (str_starts(flag, starts[i]))
			return true;
	return false;
}

/* A reference whose value has such a flag: make fills it in. */
static bool is_needed_reference(const struct makefile *m, const char *word)
{
	const char *value, *part;

	if (word[0] != '$')
		return false;
	value = makefile_expand(m, word, NULL);
	while ((part = makefile_word(m, &value)))
		if (is_needed(part))
			return true;
	return false;
}

/* What a variable of flags says that must stay when Kiln's own flags take its place. */
static const char *needed_flags(struct survey *s, const struct makefile *m, const char *variable)
{
	const char *value = makefile_variable(m, variable);
	struct survey_words words = { 0 };
	const char *list = NULL;

	for (const char *p = value ? value : ""; *p;) {
		size_t n;
		const char *word;

		p += strspn(p, " \t");
		n = strcspn(p, " \t");
		word = arena_str_n(s->arena, p, n);
		p += n;
		if (is_needed(word) || is_needed_reference(m, word))
			survey_add(&words, word);
	}
	if (words.n)
		list = survey_list(s, &words);
	array_deinit(&words);
	return list;
}

/* Variables that would break the build in an image of clang, as arguments of make: a linker that is
 * another compiler; warnings that are errors, which a newer compiler has more of. */
static void add_overrides(struct survey *s, const struct makefile *m, struct survey_words *args)
{
	const char *linker = makefile_variable(m, "LD");

	if (linker && (strstr(linker, "gcc") || strstr(linker, "g++")))
		survey_add(args, strstr(linker, "g++") ? "LD=$(CXX)" : "LD=$(CC)");
	for (size_t i = 0; i < map_count(m->variables); i++) {
		const struct map_entry *e = map_at(m->variables, i);
		const char *value = e->value, *at = strstr(value, "-Werror");
		char end = at ? at[strlen("-Werror")] : '\0';

		/* Flags that Kiln replaces anyway are not passed twice. */
		if (!at || (end && end != ' ' && end != '\t') || strstr(e->key, "CFLAGS") ||
		    str_eq(e->key, "CXXFLAGS"))
			continue;
		survey_add(args, arena_fmt(s->arena, "%s=%.*s%s", e->key, (int)(at - value), value,
		                           at + strlen("-Werror")));
	}
}

static bool calls_compiler(const char *command)
{
	static const char *const compilers[] = { "$(CC)", "${CC}",    "$(CXX)", "${CXX}",
		                                 "cc ",   "gcc ",     "clang ", "c++ ",
		                                 "g++ ",  "clang++ ", NULL };

	command += strspn(command, "@-+ \t");
	for (size_t i = 0; compilers[i]; i++)
		if (str_starts(command, compilers[i]))
			return true;
	return false;
}

/* Kiln's flags come as CFLAGS and CXXFLAGS: a Makefile whose own commands leave them out would be built
 * without a word, and fail only where a profile is taken. What it includes may name them. */
static void note_ignored_flags(struct survey *s, const struct makefile *m, const char *text)
{
	static const char *const named[] = { "(CFLAGS",   "{CFLAGS",  "(CXXFLAGS",
		                             "{CXXFLAGS", "include ", NULL };
	bool compiles = false;

	for (size_t i = 0; named[i]; i++)
		if (strstr(text, named[i]))
			return;
	for (size_t i = 0; i < m->rules.n; i++)
		for (size_t j = 0; j < m->rules.v[i].recipe.n; j++)
			compiles |= calls_compiler(m->rules.v[i].recipe.v[j]);
	if (compiles)
		survey_note(s,
		            "the Makefile compiles without $(CFLAGS): the flags of the variants do "
		            "not reach the compiler; write $(CC) $(CFLAGS) in its commands");
}

/* Libraries of a Makefile stand in its variables and in its recipes. */
static void find_libraries(struct survey *s, const char *text)
{
	for (const char *p = text; (p = strstr(p, "-l")); p += 2) {
		size_t n = 0;

		if (p == text || !strchr(" \t=(\"'", p[-1]))
			continue;
		while (isalnum((unsigned char)p[2 + n]) || (p[2 + n] && strchr("_+.-", p[2 + n])))
			n++;
		/* Not one that the project makes itself. */
		if (n > 0 && !strstr(text, arena_fmt(s->arena, "lib%.*s.", (int)n, p + 2)))
			survey_needs_library(s, arena_str_n(s->arena, p + 2, n));
	}
}

/* ---- programs ----------------------------------------------------------------------------- */

/* Folders that a Makefile at the root may leave its programs to. */
static bool look_below(struct survey *s, struct survey_words *programs, const char **ret_dir,
                       struct makefile *ret)
{
	for (size_t i = 0; i < s->files.list.n; i++) {
		const char *path = s->files.list.v[i].path, *text;
		_cleanup_free_ char *dir = path_dir(path);

		if (!str_eq(path_base(path), "Makefile") || str_eq(dir, ".") || strchr(dir, '/') ||
		    survey_is_aside(path) || str_starts(dir, "lib"))
			continue;
		text = survey_text(s, path);
		if (!text)
			continue;
		makefile_deinit(ret);
		makefile_read(s->arena, text, ret);
		programs_find(s, ret, dir, programs);
		if (programs->n) {
			*ret_dir = arena_str(s->arena, dir);
			return true;
		}
	}
	return false;
}

/* Whether make can be asked for all of them: a rule may leave a program under another name than its own. */
static bool are_targets(const struct makefile *m, const struct survey_words *programs)
{
	for (size_t i = 0; i < programs->n; i++)
		if (!makefile_has_target(m, programs->v[i]))
			return false;
	return true;
}

static void propose_test(struct survey *s, const struct makefile *m, const char *dir)
{
	static const char *const targets[] = { "check", "test", NULL };

	for (size_t i = 0; targets[i]; i++) {
		if (!makefile_has_target(m, targets[i]))
			continue;
		survey_propose_test(
			s,
			arena_fmt(s->arena, "make%s%s %s", dir[0] ? " -C " : "", dir, targets[i]),
			arena_fmt(s->arena, "{ \"%s\" }", targets[i]),
			"runs the project's own tests before a release");
		return;
	}
}

static void describe(struct survey *s, const struct makefile *m, const char *dir,
                     const struct survey_words *programs)
{
	const char *cflags = needed_flags(s, m, "CFLAGS"),
		   *cxxflags = needed_flags(s, m, "CXXFLAGS");
	const char *ldflags = needed_flags(s, m, "LDFLAGS");
	struct survey_words args = { 0 };

	for (size_t i = 0; i < programs->n; i++)
		survey_add(&s->bins, dir[0] ? arena_fmt(s->arena, "%s/%s", dir, programs->v[i]) :
		                              programs->v[i]);
	if (dir[0])
		survey_set(s, "dir", "where make is called", "%s", survey_quote(s, dir));
	if (are_targets(m, programs))
		for (size_t i = 0; i < programs->n; i++)
			survey_add(&args, programs->v[i]);
	add_overrides(s, m, &args);
	if (args.n)
		survey_set(s, "args", "what make is asked for", "%s", survey_list(s, &args));
	if (programs->n == 0)
		survey_guess(s, "no rule of the Makefile was understood to make a program");
	survey_set(s, "bins", survey_bins_comment(s, NULL), "%s", survey_list(s, &s->bins));
	if (cflags || cxxflags)
		survey_set(s, "cflags", "the Makefile's own, which the sources need", "%s",
		           cflags ? cflags : cxxflags);
	if (ldflags)
		survey_set(s, "ldflags", NULL, "%s", ldflags);
	array_deinit(&args);
	propose_test(s, m, dir);
}

/* A configure that autoconf did not make: it writes what the Makefile includes. */
static void find_configure(struct survey *s)
{
	if (survey_has(s, "configure"))
		survey_set(s, "configure", "runs before make", "{ \"./configure\" }");
}

static int look(struct survey *s, struct err *err)
{
	struct survey_words programs = { 0 };
	struct makefile m = { 0 };
	const char *file = find_makefile(s), *text = file ? survey_text(s, file) : "", *dir = "";

	if (!text)
		return err_set(err, ERR_INPUT, "%s/%s is larger than 1 MiB, or no text",
		               s->repo.top, file);
	makefile_read(s->arena, text, &m);
	find_libraries(s, text);
	programs_find(s, &m, "", &programs);
	if (programs.n == 0)
		look_below(s, &programs, &dir, &m);
	note_ignored_flags(s, &m,
	                   dir[0] ? survey_text(s, arena_fmt(s->arena, "%s/Makefile", dir)) : text);
	find_configure(s);
	describe(s, &m, dir, &programs);
	makefile_deinit(&m);
	array_deinit(&programs);
	return 0;
}

const struct surveyor surveyor_make = { "make", "make", recognise, look };
