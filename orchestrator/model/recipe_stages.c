/* Stages as they are declared: see the header. */
#include "model/recipe_stages.h"

void recipe_stages_init(struct recipe_stages *stages, struct arena *arena)
{
	*stages = (struct recipe_stages){ .arena = arena, .words = map_new() };
}

static const char *word(struct recipe_stages *stages, struct str text)
{
	char *known = map_get_n(stages->words, text.p, text.n);

	if (!known) {
		known = arena_str_n(stages->arena, text.p, text.n);
		map_set_n(stages->words, text.p, text.n, known);
	}
	return known;
}

int recipe_stages_add(struct recipe_stages *stages, const char *kind, const char *address,
                      const char *where, struct stage **ret, struct err *err)
{
	const char *variant = strchr(address, '/');
	const char *name = variant ? strchr(variant + 1, '/') : NULL;
	struct stage *stage;

	if (!name || variant == address || name == variant + 1 || !name[1] || strchr(name + 1, '/'))
		return err_set(err, ERR_INPUT,
		               "%s: the stage's address \"%.100s\" is not TARGET/VARIANT/NAME",
		               where, address);
	if (stages->n == stages->room) {
		stages->room = stages->room ? stages->room * 2 : 64;
		stages->list = alloc_grow(stages->list, stages->room, sizeof(*stages->list));
	}
	stage = &stages->list[stages->n++];
	*stage = (struct stage){
		.address = arena_str(stages->arena, address),
		.target = word(stages, (struct str){ address, (size_t)(variant - address) }),
		.variant = word(stages, (struct str){ variant + 1, (size_t)(name - variant - 1) }),
		.kind = word(stages, str_of(kind)),
		.where = word(stages, str_of(where)),
	};
	stage->name = stage->address + (name + 1 - address);
	*ret = stage;
	return 0;
}

void recipe_stages_give(struct recipe_stages *stages, struct recipe *recipe)
{
	size_t before = recipe->n_stages, all = before + stages->n;
	struct stage *list = arena_array(stages->arena, all, sizeof(*list));

	if (before)
		memcpy(list, recipe->stages, before * sizeof(*list));
	if (stages->n)
		memcpy(list + before, stages->list, stages->n * sizeof(*list));
	recipe->stages = list;
	recipe->n_stages = all;
}

void recipe_stages_deinit(struct recipe_stages *stages)
{
	stages->words = map_free(stages->words);
	free(stages->list);
	*stages = (struct recipe_stages){ 0 };
}
