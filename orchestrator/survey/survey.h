#ifndef KILN_SURVEY_SURVEY_H
#define KILN_SURVEY_SURVEY_H

#include <stdbool.h>

#include "base/arena.h"
#include "external/git.h"

/*
 * What a project is, as the files say that git tracks: its build system, its programs, licence,
 * version, needs. Nothing of the project is run. The answer is a good guess that a person reads as a
 * recipe; what could not be found out stands in `notes`.
 */
struct survey_words {
	const char **v; /* borrowed from the arena */
	size_t n, cap;
};

/* A line of the builder's table: `name = value,  -- comment`. */
struct survey_field {
	const char *name;
	const char *value;   /* as Lua */
	const char *comment; /* or NULL */
};

struct survey {
	struct arena *arena;
	struct git_repo repo;
	struct git_entries files; /* sorted by path */

	const char *builder;        /* "cmake": the recipe says cmake.build { … } */
	struct survey_words others; /* builders that would do as well */
	const char *name;           /* fit for packages */
	const char *version;        /* what the build system says; NULL: nothing */
	const char *tags;           /* glob of the version tags, "v[0-9]*"; NULL: there are none */
	const char *other_tag;      /* a tag that reads as no version, where all do; or NULL */
	const char *first;          /* what to type before the first build; or NULL */
	const char *license;        /* SPDX expression; NULL: not recognised */
	const char *license_from;   /* the file that says so; NULL: none */
	struct survey_words documents; /* licence files */
	struct survey_words pages;     /* manual pages of the programs */
	struct survey_words bins;      /* as the builder takes them */
	ARRAY(struct survey_field) fields;
	struct survey_words packages; /* Debian packages that the image needs besides */
	struct survey_words notes;    /* what a person should look at */
	const char *own_tests; /* how the project's own tests are run: "make check"; or NULL */
	bool guessed;          /* no program was found: bins is a guess */
};

/* Surveys the repository that `dir` lies in. `builder`: the one to take, or NULL. A folder without
 * git, without tracked files or without a build system that is known is ERR_INPUT. */
int survey_take(struct survey *s, const char *dir, const char *builder, struct err *err);
void survey_deinit(struct survey *s);
#define _cleanup_survey_ _cleanup_(survey_deinit)

#endif
