#ifndef KILN_CLI_COMPLETE_H
#define KILN_CLI_COMPLETE_H

#include "base/arena.h"
#include "base/array.h"
#include "cli/words.h"

/* What may be typed next, and a word on it. */
struct complete_candidate {
	const char *text, *doc; /* doc may be "" */
};

/* What the last word of an unfinished command line may become. */
struct completion {
	size_t skip;         /* bytes of the last word in front of what is completed: "--key=" */
	const char *current; /* the last word behind them */
	const char *directory, *recipe; /* -C and the recipe where they were given, else NULL */
	ARRAY(const char *) set;        /* --set */
	ARRAY(const char *) operands;   /* of the command, before the last word */
	ARRAY(struct complete_candidate) list; /* what the command table offers */
	ARRAY(const struct word *) words;      /* what must be looked up */
};

/* Reads the words behind "kiln"; the last one is being typed and may be "". */
void complete_scan(struct arena *arena, const char *const *words, size_t n, struct completion *ret);
void completion_deinit(struct completion *completion);

/* Adds the commands that may follow the words in `before` (none or one). */
void complete_commands(struct arena *arena, const char *const *before, size_t n,
                       struct completion *ret);

#endif
