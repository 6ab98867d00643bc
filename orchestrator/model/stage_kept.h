#ifndef KILN_MODEL_STAGE_KEPT_H
#define KILN_MODEL_STAGE_KEPT_H

#include "model/stage.h"
#include "snapshot/kept.h"

/*
 * Stages and what they were lowered to, in a file that the next run takes them from (snapshot/kept.h): one
 * behind the other, as there may be 100,000. Words that a stage shares with the one before stand once.
 */
enum { STAGE_WORDS = 10 };

struct stages_keeping {
	struct kept_writer *file; /* borrowed */
	const char *before[STAGE_WORDS];
	const struct stage_needs *needs;
};

struct stages_taking {
	struct kept *file; /* borrowed: all texts stay in it */
	struct arena *arena;
	const char *before[STAGE_WORDS];
	const struct stage_needs *needs;
};

/* Options as JSON are not kept: the stage has their text, or was lowered, or both. */
void stage_keep(struct stages_keeping *keeping, const struct stage *stage);
/* The next one. Where the file turns out bad (struct kept says so), it is none. */
void stage_take(struct stages_taking *taking, struct stage *ret);

#endif
