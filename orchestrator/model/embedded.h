#ifndef KILN_MODEL_EMBEDDED_H
#define KILN_MODEL_EMBEDDED_H

#include <stddef.h>

#include "base/digest.h"

/*
 * The files that travel inside the program: the Lua standard library (recipes/lib/), toolchains/
 * and containers/. The table is made by scripts/embed; it is sorted by path (bytewise), and its
 * last entry has path NULL.
 */
struct embedded_file {
	const char *path;          /* relative to the project root: "toolchains/x.yaml" */
	const unsigned char *data; /* size bytes, then a NUL that size does not count */
	size_t size;
};

extern const struct embedded_file kiln_embedded[];
extern const size_t kiln_embedded_count;

/* The file with this path, or NULL. */
const struct embedded_file *embedded_find(const char *path);
/* SHA-256 over all paths and contents: what a lock pins of Kiln itself. */
void embedded_digest(struct digest *ret);

#endif
