/* The document that the recipe's child hands back, from a child that may have been taken over. */
#include "fuzz/fuzz.h"

#include "base/arena.h"
#include "external/json.h"
#include "model/recipe_doc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	_cleanup_json_ json_t *document = NULL;
	struct recipe recipe;
	struct arena *arena;

	if (json_parse((const char *)data, size, "input", &document, &err) < 0)
		return 0;
	arena = arena_new();
	if (recipe_read(arena, document, &recipe, &err) < 0)
		bug_on(err.code == ERR_NONE || !err.cause[0]);
	else
		bug_on(recipe_find_target(&recipe, "no such triple") != NULL);
	arena_free(arena);
	return 0;
}
