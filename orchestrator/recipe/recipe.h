#ifndef KILN_RECIPE_RECIPE_H
#define KILN_RECIPE_RECIPE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "external/json.h"
#include "model/schema.h"

/*
 * Evaluating a recipe: Lua in, one JSON document out ("kiln.recipe/1"), nothing else left behind.
 * The recipe runs in a forked child with a memory cap, an instruction budget and a CPU limit, and
 * sees no clock or environment. Of the project it reads the Lua files it requires, the YAML files of
 * its toolchains and what it asks for by name (read); of other files it sees whether they are there
 * (kiln.stat). What it learns of git and of the command line is noted in the document. Nothing outside the project is seen, through links neither.
 */

/* A stage kind as recipes see it; Lua writes its dashes as underscores. */
struct recipe_kind {
	const char *name;
	const struct schema_field *fields;
};

/* A stage as it is declared; for the time of a call only. */
struct recipe_stage {
	const char *kind, *address, *where;
	struct str options; /* canonical JSON, an object */
};

struct recipe_request {
	const char *project; /* root folder of the project: kiln.lock and .kiln/ lie there */
	const char *recipe;  /* the recipe, a tree path below it: "recipes/gawk.lua" */
	const struct recipe_kind *kinds;   /* ends with name NULL */
	const struct schema_field *common; /* what every kind takes */
	const json_t *set;                 /* --set: texts by option; may be NULL */
	bool committed;                    /* it is about HEAD, not about what lies there */
	bool snapshot;                     /* of HEAD, whatever lies beside it: never a version */
	struct log *log;                   /* gets what the recipe prints; may be NULL */
	unsigned int cpu_ms;               /* 0: 5000 */
	size_t memory; /* bytes of Lua's heap; 0: 48 MiB. What is declared: 64 MiB of text */
	long long instructions; /* Lua instructions; 0: 50 million */
	/* Is given every stage as it is declared, before the recipe is known to be right: a document that
	 * held 100,000 of them as trees would cost more than all that is made of them. NULL: they stand in
	 * the document. */
	int (*stage)(void *data, const struct recipe_stage *stage, struct err *err);
	void *stage_data;
	struct buf
		*printed; /* gets what the recipe prints, each text ended by a NUL; may be NULL */
};

/*
 * Gives the document. Errors of the recipe are ERR_INPUT: "FILE:LINE: what", the source line with
 * a caret, the nearest valid name. Must be called while the process has one thread.
 */
int recipe_load(const struct recipe_request *request, json_t **ret_document, struct err *err);

/*
 * Finds the recipe that an operand names (a .lua file, or a folder that holds kiln.lua); NULL looks
 * for kiln.lua here and in the parents. Both are for the caller to free; *ret_recipe is below
 * *ret_project.
 */
int recipe_find(const char *operand, char **ret_project, char **ret_recipe, struct err *err);
/* What makes a folder the root of a project; NULL-ended. */
extern const char *const recipe_project_marks[];
/* The root of the project that an absolute folder lies in: the nearest one upwards that holds
 * kiln.lock, .kiln or .git, else the folder itself. The caller frees. */
char *recipe_project(const char *inside);

#endif
