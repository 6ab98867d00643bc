#ifndef KILN_MODEL_STAGE_H
#define KILN_MODEL_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "external/json.h"
#include "model/action.h"

/*
 * A stage as the recipe declares it, and what its kind lowers it to: an action whose input root
 * and image are still names. Everything lies in one arena or is borrowed from the document.
 */
struct stage {
	const char *address; /* TARGET/VARIANT/NAME, unique */
	const char *target, *variant, *name;
	const char *kind;
	const char *where; /* "file:line" */
	/* Its options: as JSON, or, of which there may be many, as the text of an object; both NULL where
	 * only what they were lowered to is left. */
	const json_t *options;
	const char *text;
	const struct stage_lowered *lowered; /* NULL: it is not yet */
};

/* The options of a stage, a new reference that its owner may change. NULL: its text is no object, or
 * gone. */
json_t *stage_options(const struct stage *stage);

/* The container that it names, before it was lowered or after; borrowed. NULL: the target's. */
const char *stage_image(const struct stage *stage);

enum ref_kind {
	REF_STAGE,  /* id is a stage address; path is an output, below one, "@stdout" or "@log" */
	REF_LEAF,   /* id is a leaf's name; path is below it, "" the whole */
	REF_TEXT,   /* id is the content of a file */
	REF_SCRIPT, /* the same of an executable file */
};

struct ref {
	enum ref_kind kind;
	const char *id;
	const char *path;
};

/* Reads {"$stage" or "$leaf": ID, "path": PATH}. Returns 0, or -1 where the value is none. */
int ref_from_json(struct arena *arena, const json_t *json, struct ref *ret);

/* A ref placed at a tree path of the work folder. */
struct stage_input {
	const char *at;
	struct ref from;
};

/* What a stage asks of the machine, and may have of it; nothing of it is in its key. */
struct stage_needs {
	int cpus;             /* 0: one */
	int retries;          /* how often it is run again when what failed was not the stage */
	int64_t memory, disk; /* bytes, 0: unsaid */
	int64_t processes;    /* and threads, 0: unsaid */
	int64_t timeout_ms;   /* 0: none */
	const char *pool;     /* of the recipe's pools; NULL: none */
	bool exclusive;       /* runs alone */
};

struct stage_lowered {
	struct action action; /* without input root, image, architecture */
	struct stage_input *inputs;
	size_t n_inputs;
	const char *image;               /* container name; NULL: the target's */
	const struct stage_needs *needs; /* most stages share one */
	const char *advice;              /* one line for when it fails; NULL: none */
	bool incremental;                /* with what is left of its last run it has less to do */
	bool never_ships;                /* instrumented: an artefact must not be made of it */
	bool passes_on; /* what it makes holds what it takes: packed, stripped, re-laid */
};

#endif
