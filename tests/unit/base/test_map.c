/* Maps: every key is found, and iterating gives the order of insertion. */
#include "base/map.h"
#include "unit/support.h"

static void keys_have_values(void **state)
{
	struct map *map = map_new();
	int a, b;

	(void)state;
	assert_null(map_get(map, "a"));
	assert_null(map_set(map, "a", &a));
	assert_ptr_equal(map_set(map, "a", &b), &a);
	assert_ptr_equal(map_get(map, "a"), &b);
	assert_int_equal(map_count(map), 1);
	assert_null(map_free(map));
	assert_null(map_free(NULL));
}

static void a_key_may_have_no_value(void **state)
{
	struct map *map = map_new();

	(void)state;
	map_set(map, "", NULL);
	assert_true(map_has(map, ""));
	assert_false(map_has(map, "x"));
	assert_null(map_get(map, ""));
	map_free(map);
}

static void keys_are_bytes(void **state)
{
	struct map *map = map_new();
	int a, b;

	(void)state;
	map_set_n(map, "k\0a", 3, &a);
	map_set_n(map, "k\0b", 3, &b);
	assert_ptr_equal(map_get_n(map, "k\0a", 3), &a);
	assert_ptr_equal(map_get_n(map, "k\0b", 3), &b);
	assert_null(map_get(map, "k"));
	assert_int_equal(map_at(map, 1)->key_n, 3);
	map_free(map);
}

static void keys_are_copied(void **state)
{
	struct map *map = map_new();
	char key[] = "key";

	(void)state;
	map_set(map, key, key);
	key[0] = 'X';
	assert_ptr_equal(map_get(map, "key"), key);
	map_free(map);
}

static void keys_may_be_borrowed(void **state)
{
	struct map *map = map_new_borrowing();
	char key[] = "ab";

	(void)state;
	assert_null(map_set(map, key, (void *)1));
	assert_ptr_equal(map_at(map, 0)->key, key);
	assert_ptr_equal(map_get(map, "ab"), (void *)1);
	assert_null(map_set_n(map, key, 1, (void *)2)); /* "a", of the same bytes */
	assert_ptr_equal(map_get(map, "a"), (void *)2);
	map_free(map);
}

static void many_keys_keep_their_order(void **state)
{
	enum { MANY = 20000 };
	struct map *map = map_new();

	(void)state;
	for (intptr_t i = 0; i < MANY; i++) {
		char *key = str_fmt("key %d", (int)((i * 7919) % MANY));

		assert_null(map_set(map, key, (void *)(i + 1)));
		free(key);
	}
	assert_int_equal(map_count(map), MANY);
	for (intptr_t i = 0; i < MANY; i++) {
		const struct map_entry *e = map_at(map, (size_t)i);
		char *key = str_fmt("key %d", (int)((i * 7919) % MANY));

		assert_string_equal(e->key, key);
		assert_ptr_equal(e->value, (void *)(i + 1));
		assert_ptr_equal(map_get(map, key), (void *)(i + 1));
		free(key);
	}
	map_free(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_have_values),
		cmocka_unit_test(a_key_may_have_no_value),
		cmocka_unit_test(keys_are_bytes),
		cmocka_unit_test(keys_are_copied),
		cmocka_unit_test(keys_may_be_borrowed),
		cmocka_unit_test(many_keys_keep_their_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
