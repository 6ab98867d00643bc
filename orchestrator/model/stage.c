/* Options of stages, and references to stages and leaves, as the recipe document writes them. */
#include "model/stage.h"

#include "base/str.h"

json_t *stage_options(const struct stage *stage)
{
	struct err ignored = ERR_INIT;
	json_t *options = NULL;

	if (stage->options)
		return json_deep_copy(stage->options);
	if (!stage->text)
		return NULL;
	if (json_parse(stage->text, strlen(stage->text), "options", &options, &ignored) == 0 &&
	    !json_is_object(options))
		json_cleanup(&options);
	return options;
}

const char *stage_image(const struct stage *stage)
{
	return stage->lowered ? stage->lowered->image : json_str_or(stage->options, "image", NULL);
}

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
