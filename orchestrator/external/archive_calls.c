/* The names of what Kiln calls in libarchive. */
#include "external/archive_calls.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/alloc.h"
#include "external/late.h"

static const struct late_library library = { "libarchive.so.13",
	                                     "libarchive, which reads and writes archives",
	                                     "libarchive13" };

#define ARCHIVE_CALL(name) { #name, offsetof(struct archive_calls, name) },
static const struct late_call calls[] = { ARCHIVE_CALLS(ARCHIVE_CALL) };

const struct archive_calls *archive_calls(struct err *err)
{
	static struct archive_calls table;
	static bool loaded;

	if (!loaded && late_load(&library, calls, ARRAY_LEN(calls), &table, err) < 0)
		return NULL;
	loaded = true;
	return &table;
}
