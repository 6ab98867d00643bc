#ifndef KILN_STORE_WHERE_H
#define KILN_STORE_WHERE_H

#include "base/err.h"

/* Where the store is, or would be: `dir` when not NULL, else $KILN_STORE, $XDG_CACHE_HOME/kiln,
 * ~/.cache/kiln. Nothing is made. Caller frees. */
int store_place(const char *dir, char **ret, struct err *err);

#endif
