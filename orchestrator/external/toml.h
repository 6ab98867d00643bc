#ifndef KILN_EXTERNAL_TOML_H
#define KILN_EXTERNAL_TOML_H

#include "base/str.h"
#include "external/json.h"

/*
 * TOML 1.0 as the JSON that it means: tables are objects, arrays arrays, numbers and truths what
 * they are. Dates and times stay text as they were written, and so do inf and nan, which JSON has
 * not. Strict, and stricter than TOML where JSON cannot follow: a NUL in a text and a number that
 * fits neither 64 bits nor a double are refused. Size and depth are capped.
 */
enum { TOML_MOST = 16 << 20, TOML_DEPTH_MOST = 64 };

/* `shown` stands in errors: ERR_INPUT with file:line, the source line and a caret. */
int toml_read(struct str text, const char *shown, json_t **ret, struct err *err);

#endif
