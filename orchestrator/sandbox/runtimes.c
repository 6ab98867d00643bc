/* The table of sandbox runtimes: a new one is a file and a line here. */
#include "sandbox/spec.h"

#include <string.h>

const struct sandbox_runtime *const sandbox_runtimes[] = {
	&sandbox_bwrap,
	&sandbox_podman,
	&sandbox_host,
	NULL,
};

const struct sandbox_runtime *sandbox_find(const char *name)
{
	for (size_t i = 0; sandbox_runtimes[i]; i++)
		if (strcmp(sandbox_runtimes[i]->name, name) == 0)
			return sandbox_runtimes[i];
	return NULL;
}
