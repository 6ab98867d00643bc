#ifndef KILN_SURVEY_SURVEYOR_H
#define KILN_SURVEY_SURVEYOR_H

#include "survey/survey.h"

/* One build system. Adding one: a file, a line in the table, projects in its contract test. */
struct surveyor {
	const char *builder;
	const char *shown; /* "CMake" */
	/* The file by which a project of this kind is known; NULL where it is none. */
	const char *(*recognise)(const struct survey *s);
	/* Fills in programs, fields, packages, name and version. */
	int (*look)(struct survey *s, struct err *err);
};

extern const struct surveyor surveyor_cargo, surveyor_cmake, surveyor_meson, surveyor_autotools,
	surveyor_make;
/* NULL-ended; where several know a project the first is taken. */
extern const struct surveyor *const surveyors[];

/* ---- what surveyors share ----------------------------------------------------------------- */

/* The text of a tracked file, NUL-ended, in the arena; NULL where it is not there, is no text or is
 * larger than a build file could be. */
const char *survey_text(const struct survey *s, const char *path);
bool survey_has(const struct survey *s, const char *path);
/* Tracked paths that match a glob (base/str.h). */
struct survey_words survey_glob(const struct survey *s, const char *glob);

/* Whether a tracked file that fits the glob has the text in it. */
bool survey_mentions(const struct survey *s, const char *glob, const char *text);

/* Adds a word unless it is there. */
void survey_add(struct survey_words *words, const char *word);
bool survey_knows(const struct survey_words *words, const char *word);
/* Adds a field of the builder's table; `value` is Lua. */
void survey_set(struct survey *s, const char *name, const char *comment, const char *value, ...)
	__attribute__((format(printf, 4, 5)));
void survey_note(struct survey *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A text as Lua writes it; a list of such: { "a", "b" }. */
const char *survey_quote(struct survey *s, const char *text);
const char *survey_list(struct survey *s, const struct survey_words *words);
/* Whether a path lies in a folder for tests, examples, documents, other people's code. */
bool survey_is_aside(const char *path);
/* Programs that only the project's developers run, by their names. */
bool survey_is_for_developers(const char *name);
/* The project has tests of its own, run by `command`: proposes test = VALUE, as a comment. */
void survey_propose_test(struct survey *s, const char *command, const char *value,
                         const char *comment);
/* No program was found: takes the project's name for one, and says so. */
void survey_guess(struct survey *s, const char *why);
/* The comment behind `bins`: `comment`, or that it is a guess. */
const char *survey_bins_comment(const struct survey *s, const char *comment);
/* What the project calls itself; nothing happens where a release could not be called so. */
void survey_call(struct survey *s, const char *name);
/* Notes what the project needs of the system: a library by its pkg-config, CMake or linker name, a
 * tool by its command. What is not known becomes a note. */
void survey_needs_library(struct survey *s, const char *name);
void survey_needs_tool(struct survey *s, const char *command);

#endif
