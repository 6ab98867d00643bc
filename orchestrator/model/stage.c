/* References to stages and leaves, as the recipe document writes them. */
#include "model/stage.h"

#include "base/str.h"

int ref_from_json(struct arena *arena, const json_t *json, struct ref *ret)
{
	const char *stage = json_str_or(json, "$stage", NULL);
	const char *leaf = json_str_or(json, "$leaf", NULL);

	if (!stage == !leaf)
		return -1;
	ret->kind = stage ? REF_STAGE : REF_LEAF;
	ret->id = arena_str(arena, stage ? stage : leaf);
	ret->path = arena_str(arena, json_str_or(json, "path", ""));
	return 0;
}
