#ifndef KILN_SURVEY_CALLS_H
#define KILN_SURVEY_CALLS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

/*
 * The calls that a CMakeLists.txt or meson.build makes, in order, without running it: names and
 * arguments as words, comments left out. Conditions and loops are not followed: every branch counts.
 * Grammars: cmake-language(7); mesonbuild.com, "Syntax".
 */
struct call {
	const char *name; /* CMake's in lower case */
	const char **args;
	size_t n_args;
};

struct calls {
	struct call *v;
	size_t n, cap;
	size_t depth; /* of calls within calls, while reading */
};

/* CMake: arguments without quotes, variables as they are written (${NAME}). */
void calls_read_cmake(struct arena *arena, const char *text, struct calls *ret);
/* Meson: a text argument without its quotes, "key:VALUE" of a keyword; an argument that is no text, true
 * or false is "" or "key:". */
void calls_read_meson(struct arena *arena, const char *text, struct calls *ret);
void calls_deinit(struct calls *calls);

#endif
