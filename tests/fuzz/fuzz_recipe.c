/*
 * Lua text as a recipe, in this process: small budgets, and whatever it does, an error with a text
 * or a document, and every byte of Lua's heap given back.
 */
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "host/fs.h"
#include "recipe/state.h"
#include "stages/stage.h"

enum { TEXT_MOST = 16384, KINDS_MOST = 64 };

static void evaluate(const char *name)
{
	struct recipe_kind kinds[KINDS_MOST + 1] = { 0 };
	const struct recipe_request request = {
		.project = "/proc/self/fd",
		.recipe = name,
		.kinds = kinds,
		.common = stage_common_fields,
		.memory = 3 << 20,
		.instructions = 200000,
	};
	struct recipe_state state;
	struct err err = ERR_INIT;
	int rc;

	for (size_t i = 0; stage_kinds[i]; i++)
		kinds[i] = (struct recipe_kind){ stage_kinds[i]->name, stage_kinds[i]->fields };
	rc = state_open(&request, &state, &err);
	bug_on(rc < 0);
	rc = state_run(&state, &err);
	bug_on(rc < 0 && (err.code != ERR_INPUT || !err.cause[0]));
	bug_on(rc == 0 && !json_is_string(json_object_get(state.document, "name")));
	state_close(&state);
	bug_on(state.memory != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_fd_ int fd = memfd_create("recipe", MFD_CLOEXEC);
	char name[16];

	if (size > TEXT_MOST)
		return -1;
	bug_on(fd < 0 || write(fd, data, size) != (ssize_t)size);
	snprintf(name, sizeof(name), "%d", fd);
	evaluate(name);
	return 0;
}
