#ifndef KILN_STAGES_STAGE_H
#define KILN_STAGES_STAGE_H

#include "base/arena.h"
#include "base/err.h"
#include "model/schema.h"
#include "model/stage.h"

/*
 * A stage kind: options in, one action out, nothing else: no file, clock or environment is looked
 * at. `lower` reads options that the schema has accepted, and fails only for what a schema cannot
 * say (ERR_INPUT, with stage->where in front).
 */
struct stage_kind {
	const char *name; /* "profdata-merge"; Lua: stage.profdata_merge */
	const char *doc;
	const struct schema_field *fields; /* besides stage_common_fields */
	int (*lower)(const struct stage *stage, struct arena *arena, struct stage_lowered *ret,
	             struct err *err);
	const char *advice; /* what to try when such a stage fails; NULL: its log says it */
	bool relowered;     /* a plan may lower it anew, with some of its options changed */
};

/* Options that every kind takes: inputs, env, image, timeout, cpus, memory, exclusive, … */
extern const struct schema_field stage_common_fields[];
/* Every kind, NULL-ended, sorted by name. */
extern const struct stage_kind *const stage_kinds[];

const struct stage_kind *stage_kind_find(const char *name);
/* Lowers by the stage's kind, after its options were checked against the kind's tables. An unknown
 * kind is ERR_INPUT with the nearest name. */
int stage_lower(const struct stage *stage, struct arena *arena, struct stage_lowered *ret,
                struct err *err);
/*
 * Lowers a stage once and for all, by the text of its options; what it is lowered to lies in the arena. The
 * text is kept only where a plan may need it again, or where the options are wrong: a plan refuses them, and
 * who makes none, to show a log, say, does not mind.
 */
void stage_take_options(struct stage *stage, struct str text, struct arena *arena);

#endif
