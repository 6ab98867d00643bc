/* The survey: git's list of files first, then the build system, then what does not hang on it. */
#include "survey/survey.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "base/str.h"
#include "host/fs.h"
#include "model/distro.h"
#include "model/version.h"
#include "survey/license.h"
#include "survey/surveyor.h"

enum { TEXT_MOST = 1 << 20, NAME_MOST = 60, MENTIONS_MOST = 500 };

const struct surveyor *const surveyors[] = { &surveyor_cargo,     &surveyor_cmake, &surveyor_meson,
	                                     &surveyor_autotools, &surveyor_make,  NULL };

/* ---- files -------------------------------------------------------------------------------- */

static int compare_path(const void *key, const void *entry)
{
	return strcmp(key, ((const struct git_entry *)entry)->path);
}

bool survey_has(const struct survey *s, const char *path)
{
	return s->files.list.n > 0 && bsearch(path, s->files.list.v, s->files.list.n,
	                                      sizeof(s->files.list.v[0]), compare_path);
}

const char *survey_text(const struct survey *s, const char *path)
{
	_cleanup_free_ char *full = path_join(s->repo.top, path);
	_cleanup_buf_ struct buf text = BUF_INIT(TEXT_MOST);
	struct err ignored = ERR_INIT;

	if (!survey_has(s, path) || fs_read(AT_FDCWD, full, &text, &ignored) != 0 ||
	    memchr(buf_text(&text), '\0', text.n))
		return NULL;
	/* An old project has names in comments, in the characters of its time. */
	if (!str_is_utf8(buf_str(&text)))
		for (size_t i = 0; i < text.n; i++)
			if ((unsigned char)text.p[i] >= 0x80)
				text.p[i] = '?';
	return arena_str_n(s->arena, buf_text(&text), text.n);
}

struct survey_words survey_glob(const struct survey *s, const char *glob)
{
	struct survey_words found = { 0 };

	for (size_t i = 0; i < s->files.list.n; i++)
		if (str_glob(glob, s->files.list.v[i].path))
			array_push(&found, s->files.list.v[i].path);
	return found;
}

bool survey_mentions(const struct survey *s, const char *glob, const char *text)
{
	struct survey_words files = survey_glob(s, glob);
	bool found = false;

	for (size_t i = 0; i < files.n && i < MENTIONS_MOST && !found; i++) {
		const char *content = survey_text(s, files.v[i]);

		found = content && strstr(content, text);
	}
	array_deinit(&files);
	return found;
}

/* ---- what surveyors share ----------------------------------------------------------------- */

bool survey_knows(const struct survey_words *words, const char *word)
{
	for (size_t i = 0; i < words->n; i++)
		if (str_eq(words->v[i], word))
			return true;
	return false;
}

void survey_add(struct survey_words *words, const char *word)
{
	if (!survey_knows(words, word))
		array_push(words, word);
}

void survey_set(struct survey *s, const char *name, const char *comment, const char *value, ...)
{
	_cleanup_buf_ struct buf text = BUF_INIT(64 << 10);
	va_list ap;

	va_start(ap, value);
	buf_fmtv(&text, value, ap);
	va_end(ap);
	array_push(&s->fields,
	           ((struct survey_field){ name, arena_str(s->arena, buf_text(&text)), comment }));
}

void survey_note(struct survey *s, const char *fmt, ...)
{
	_cleanup_buf_ struct buf text = BUF_INIT(4096);
	va_list ap;

	va_start(ap, fmt);
	buf_fmtv(&text, fmt, ap);
	va_end(ap);
	survey_add(&s->notes, arena_str(s->arena, buf_text(&text)));
}

void survey_call(struct survey *s, const char *name)
{
	if (!isalnum((unsigned char)name[0]) || strlen(name) > NAME_MOST)
		return;
	for (const char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("._+-", *p))
			return;
	s->name = arena_str(s->arena, name);
}

bool survey_is_for_developers(const char *name)
{
	const char *base = path_base(name);

	return strstr(base, "test") || strstr(base, "bench") || strstr(base, "fuzz") ||
	       strstr(base, "example");
}

void survey_propose_test(struct survey *s, const char *command, const char *value,
                         const char *comment)
{
	s->own_tests = command;
	survey_set(s, "-- test", comment, "%s", value);
}

void survey_guess(struct survey *s, const char *why)
{
	s->guessed = true;
	survey_add(&s->bins, s->name);
	survey_note(s, "%s: say in `bins` which programs the build makes", why);
}

const char *survey_bins_comment(const struct survey *s, const char *comment)
{
	return s->guessed ? "a guess: name what the build makes" : comment;
}

void survey_needs_library(struct survey *s, const char *name)
{
	const char *package = distro_library(name);

	if (!package)
		survey_note(s,
		            "the build asks for %s: if it fails for want of it, add its Debian "
		            "package, as in add = { \"lib%s-dev\" }",
		            name, name);
	else if (package[0])
		survey_add(&s->packages, package);
}

void survey_needs_tool(struct survey *s, const char *command)
{
	const char *package = distro_tool(command);

	if (package && package[0])
		survey_add(&s->packages, package);
}

const char *survey_quote(struct survey *s, const char *text)
{
	_cleanup_buf_ struct buf quoted = BUF_INIT(64 << 10);

	buf_add_char(&quoted, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			buf_add_char(&quoted, '\\');
		if (*text == '\n')
			buf_add_str(&quoted, "\\n");
		else
			buf_add_char(&quoted, *text);
	}
	buf_add_char(&quoted, '"');
	return arena_str(s->arena, buf_text(&quoted));
}

const char *survey_list(struct survey *s, const struct survey_words *words)
{
	_cleanup_buf_ struct buf text = BUF_INIT(64 << 10);

	buf_add_char(&text, '{');
	for (size_t i = 0; i < words->n; i++)
		buf_fmt(&text, "%s %s", i ? "," : "", survey_quote(s, words->v[i]));
	buf_add_str(&text, words->n ? " }" : "}");
	return arena_str(s->arena, buf_text(&text));
}

bool survey_is_aside(const char *path)
{
	static const char *const folders[] = {
		"test",       "tests",    "t",           "testing", "testsuite",   "unittest",
		"api_test",   "example",  "examples",    "demo",    "demos",       "doc",
		"docs",       "contrib",  "vendor",      "deps",    "third_party", "thirdparty",
		"external",   "extern",   "subprojects", "bench",   "benches",     "benchmark",
		"benchmarks", "perf",     "fuzz",        "fuzzing", "fuzzers",     "samples",
		"sample",     "tutorial", "tutorials",   "win32",   "windows",     NULL
	};
	struct str rest = str_of(path), part;

	while (str_cut(&rest, '/', &part)) {
		if (!rest.p)
			return false;
		for (size_t i = 0; folders[i]; i++)
			if (str_same(part, str_of(folders[i])))
				return true;
	}
	return false;
}

/* ---- what does not hang on the build system ----------------------------------------------- */

/* A name that every package format takes: lower case, digits, dots, dashes, pluses. */
static const char *fit_name(struct arena *arena, const char *name)
{
	char *fit = arena_str_n(arena, name, strnlen(name, NAME_MOST)), *end = fit;

	for (const char *p = fit; *p; p++) {
		unsigned char c = (unsigned char)*p;

		if (isalnum(c) && c < 0x80)
			*end++ = (char)tolower(c);
		else if ((c == '.' || c == '-' || c == '+') && end > fit)
			*end++ = (char)c;
		else if (end > fit && end[-1] != '-')
			*end++ = '-';
	}
	while (end > fit && !isalnum((unsigned char)end[-1]))
		end--;
	*end = '\0';
	return *fit ? fit : "program";
}

/* The glob that the newest version's tag fits: what stands before its number, and the number. */
static int find_tags(struct survey *s, struct err *err)
{
	_cleanup_free_ char *list = NULL;
	const char *newest = NULL;
	struct str rest, line;

	if (git_tags(&s->repo, &list, err) < 0)
		return -1;
	rest = str_of(list);
	while (str_cut(&rest, '\n', &line)) {
		char *tag = arena_str_n(s->arena, line.p, line.n);
		size_t n = strcspn(tag, "0123456789");

		if (!tag[n] || version_fault(tag + n) || strpbrk(tag, "*?[\\")) {
			s->other_tag = tag[0] ? tag : s->other_tag;
			continue;
		}
		if (newest && version_cmp(tag + n, newest) <= 0)
			continue;
		newest = tag + n;
		s->tags = arena_fmt(s->arena, "%.*s[0-9]*", (int)n, tag);
	}
	return 0;
}

/* The manual page of a program for its users: man/fgrep.1, not its translations. NULL: none. */
static const char *page_of(const struct survey *s, const char *program)
{
	const char *found = NULL;
	size_t n = strlen(program);

	for (size_t i = 0; i < s->files.list.n; i++) {
		const char *path = s->files.list.v[i].path, *base = path_base(path);

		if (strncmp(base, program, n) != 0 || base[n] != '.' || !base[n + 1] ||
		    !strchr("1568", base[n + 1]) || base[n + 2])
			continue;
		if (!found || strlen(path) < strlen(found))
			found = path;
	}
	return found;
}

static void find_pages(struct survey *s)
{
	for (size_t i = 0; i < s->bins.n; i++) {
		const char *page = page_of(s, path_base(s->bins.v[i]));

		if (page)
			survey_add(&s->pages, page);
	}
}

/* ---- the build system --------------------------------------------------------------------- */

static int refuse_builder(const struct survey *s, const char *builder, struct err *err)
{
	const char *names[16] = { 0 }, *near;

	for (size_t i = 0; surveyors[i]; i++)
		names[i] = surveyors[i]->builder;
	near = str_nearest(builder, names);
	for (size_t i = 0; surveyors[i]; i++)
		if (str_eq(names[i], builder))
			return err_set(
				err, ERR_INPUT,
				"%s is no project of %s: git tracks no file that would say so",
				s->repo.top, surveyors[i]->shown);
	err_set(err, ERR_USAGE, "there is no builder \"%s\"", builder);
	return near ? err_hint(err, "did you mean \"%s\"?", near) :
	              err_hint(err, "there are cargo, cmake, meson, autotools and make");
}

static const struct surveyor *choose(struct survey *s, const char *builder)
{
	const struct surveyor *chosen = NULL;
	const char *by = NULL;

	for (size_t i = 0; surveyors[i]; i++) {
		const struct surveyor *one = surveyors[i];
		const char *file = one->recognise(s);

		if (!file || (builder && !str_eq(builder, one->builder)))
			continue;
		if (chosen) {
			survey_add(&s->others, one->builder);
			survey_note(s,
			            "%s builds with %s too (%s); this recipe takes %s (%s), `kiln "
			            "init --force --build %s` the other",
			            s->name, one->shown, file, chosen->shown, by, one->builder);
			continue;
		}
		chosen = one;
		by = file;
		s->builder = one->builder;
	}
	return chosen;
}

/* The build file that lies least deep. */
static const char *build_file_below(const struct survey *s)
{
	static const char *const names[] = { "Cargo.toml",   "CMakeLists.txt", "meson.build",
		                             "configure.ac", "configure",      "Makefile" };
	const char *best = NULL;

	for (size_t i = 0; i < s->files.list.n; i++) {
		const char *path = s->files.list.v[i].path;

		for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
			if (str_eq(path_base(path), names[k]) && !survey_is_aside(path) &&
			    (!best || strlen(path) < strlen(best)))
				best = path;
	}
	return best;
}

static int refuse_unknown(const struct survey *s, struct err *err)
{
	const char *below = build_file_below(s);

	err_set(err, ERR_INPUT,
	        "%s: none of the tracked files is a Cargo.toml, CMakeLists.txt, meson.build, "
	        "configure.ac, configure or Makefile at its root",
	        s->repo.top);
	if (below)
		return err_hint(
			err,
			"there is %s: write a recipe by hand that has make.build { dir = … }, "
			"or one of the others, for it",
			below);
	return err_hint(err,
	                "is the build file tracked (git add)? A recipe written by hand can run any "
	                "command");
}

static int open_repo(struct survey *s, const char *dir, struct err *err)
{
	int rc = git_open(dir, &s->repo, err);

	if (rc < 0)
		return -1;
	if (rc == GIT_NONE) {
		err_set(err, ERR_INPUT, "%s lies in no git repository; Kiln builds what git tracks",
		        dir);
		return err_hint(err, "make it one: git init; git add .; git commit -m start");
	}
	if (git_list(&s->repo, NULL, &s->files, err) < 0)
		return -1;
	if (s->files.list.n > 0)
		return 0;
	err_set(err, ERR_INPUT, "git tracks no file of %s", s->repo.top);
	return err_hint(err, "add the project's files: git add .; git commit -m start");
}

int survey_take(struct survey *s, const char *dir, const char *builder, struct err *err)
{
	const struct surveyor *surveyor;

	*s = (struct survey){ .arena = arena_new() };
	if (open_repo(s, dir, err) < 0)
		return -1;
	s->name = path_base(s->repo.top);
	surveyor = choose(s, builder);
	if (!surveyor)
		return builder ? refuse_builder(s, builder, err) : refuse_unknown(s, err);
	if (find_tags(s, err) < 0 || surveyor->look(s, err) < 0)
		return -1;
	s->name = fit_name(s->arena, s->name);
	license_find(s);
	find_pages(s);
	return 0;
}

void survey_deinit(struct survey *s)
{
	array_deinit(&s->others);
	array_deinit(&s->documents);
	array_deinit(&s->pages);
	array_deinit(&s->bins);
	array_deinit(&s->fields);
	array_deinit(&s->packages);
	array_deinit(&s->notes);
	git_entries_deinit(&s->files);
	git_close(&s->repo);
	s->arena = arena_free(s->arena);
}
