/*
 * Looks a path up in the embedded table. The table is sorted when the program is built, so a
 * binary search is all it takes.
 */
#include "model/embedded.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "external/crypto.h"

static int compare_path(const void *key, const void *entry)
{
	const struct embedded_file *file = entry;

	return strcmp(key, file->path);
}

const struct embedded_file *embedded_find(const char *path)
{
	return bsearch(path, kiln_embedded, kiln_embedded_count, sizeof(kiln_embedded[0]),
	               compare_path);
}

void embedded_digest(struct digest *ret)
{
	struct hasher *hasher = hasher_new();

	for (size_t i = 0; i < kiln_embedded_count; i++) {
		/* What only describes Kiln's own words makes no release another one. */
		if (str_starts(kiln_embedded[i].path, "orchestrator/"))
			continue;
		hasher_add(hasher, kiln_embedded[i].path, strlen(kiln_embedded[i].path) + 1);
		hasher_add(hasher, kiln_embedded[i].data, kiln_embedded[i].size);
	}
	hasher_finish(hasher, ret);
	hasher_free(hasher);
}
