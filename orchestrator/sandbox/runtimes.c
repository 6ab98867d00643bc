/* The table of sandbox runtimes: a new one is a file and a line here. */
#include "sandbox/spec.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

int sandbox_load(const struct sandbox_runtime *runtime, struct sandbox_spec *spec, struct err *err)
{
	return runtime->load ? runtime->load(spec, err) : 0;
}

void sandbox_unload(const struct sandbox_runtime *runtime, struct sandbox_spec *spec)
{
	if (runtime->unload)
		runtime->unload(spec);
}

void sandbox_common_deinit(struct sandbox_common *common)
{
	sandbox_unstage(&common->staging);
	free(common->program);
	common->program = NULL;
	for (int i = 0; i < SANDBOX_DATA; i++) {
		if (common->data[i])
			close(common->data[i]);
		common->data[i] = 0;
	}
}
