/* Stages as they come: their texts, and what is no stage. */
#include "model/recipe_stages.h"

#include "unit/support.h"

static void stages_share_their_words(void **state)
{
	struct arena *arena = arena_new();
	struct recipe recipe = { .n_stages = 0 };
	struct recipe_stages stages;
	struct err err = ERR_INIT;
	char address[] = "t/plain/a";
	struct stage *added;

	(void)state;
	recipe_stages_init(&stages, arena);
	must(recipe_stages_add(&stages, "run", address, "k:1", &added, &err), &err);
	assert_string_equal(added->address, "t/plain/a");
	address[8] = 'b';
	must(recipe_stages_add(&stages, "run", address, "k:1", &added, &err), &err);
	address[8] = 'x';
	recipe_stages_give(&stages, &recipe);
	recipe_stages_deinit(&stages);
	assert_int_equal(recipe.n_stages, 2);
	assert_string_equal(recipe.stages[0].address, "t/plain/a");
	assert_null(recipe.stages[0].text);
	assert_null(recipe.stages[0].options);
	assert_string_equal(recipe.stages[1].target, "t");
	assert_string_equal(recipe.stages[1].variant, "plain");
	assert_string_equal(recipe.stages[1].name, "b");
	assert_string_equal(recipe.stages[1].kind, "run");
	assert_string_equal(recipe.stages[1].where, "k:1");
	assert_ptr_equal(recipe.stages[0].where, recipe.stages[1].where);
	arena_free(arena);
}

static void addresses_have_three_parts(void **state)
{
	static const char *const wrong[] = { "", "t", "t/v", "t/v/", "/v/n", "t//n", "t/v/n/m" };
	struct arena *arena = arena_new();
	struct recipe_stages stages;
	struct stage *added;

	(void)state;
	recipe_stages_init(&stages, arena);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct err err = ERR_INIT;

		assert_int_equal(recipe_stages_add(&stages, "run", wrong[i], "k:1", &added, &err),
		                 -1);
		assert_int_equal(err.code, ERR_INPUT);
		assert_contains(err.cause, "is not TARGET/VARIANT/NAME");
	}
	assert_int_equal(stages.n, 0);
	recipe_stages_deinit(&stages);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stages_share_their_words),
		cmocka_unit_test(addresses_have_three_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
