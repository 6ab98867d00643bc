#ifndef KILN_RECIPE_SEEN_H
#define KILN_RECIPE_SEEN_H

#include "base/digest.h"
#include "external/json.h"
#include "host/fs.h"

/*
 * What a recipe sees of its project, as its document notes it by tree path:
 *   files   what it read, by content; those that travel inside the program too
 *   looked  of which kind something is, or that there is nothing (enum snapshot_kind)
 *   listed  the names in a folder
 *   peeked  of a script whether it may be executed ("x" or "-"), and its first line
 *   unsure  it met something else, so nobody can say that it would see the same again
 */
enum { SEEN_PEEK = 257 }; /* a letter, a line and its NUL */

/* -1: it is no regular file, or cannot be read. */
int seen_peek(int fd, char ret[SEEN_PEEK]);
void seen_listing(const struct fs_names *names, struct digest *ret);
/* Whether all of it is so still. Of what is unsure that is never asked. */
bool seen_is_same(const char *project, const json_t *document);

#endif
