#ifndef KILN_CLI_WORDS_H
#define KILN_CLI_WORDS_H

#include <stddef.h>

/*
 * The words in capitals of usage lines and options are types: this table says what each stands for,
 * so that completion knows what to offer. A command that needs another word adds it here.
 */
enum word_kind {
	WORD_FREE, /* nothing to offer */
	WORD_SET,  /* one of a few */
	WORD_FILE,
	WORD_FOLDER,
	WORD_RECIPE, /* a folder or a file in Lua */
	WORD_STAGE,
	WORD_TARGET,
	WORD_VARIANT,
	WORD_IMAGE,
	WORD_OPTION, /* NAME=VALUE, an option of the recipe */
	WORD_KEY,    /* file:PATH, env:NAME, fd:N */
	WORD_COMMAND,
};

struct word {
	const char *name;
	enum word_kind kind;
	const char *glob;       /* of files; NULL: all */
	const char *const *set; /* of WORD_SET, NULL-ended */
};

/* The first `n` bytes of a text as a word, or NULL where it is none. */
const struct word *words_find(const char *name, size_t n);

#endif
