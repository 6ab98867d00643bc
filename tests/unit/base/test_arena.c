/* Arenas: aligned, zeroed, apart, of any size. */
#include <stdalign.h>

#include "base/arena.h"
#include "unit/support.h"

static void memory_is_aligned_zeroed_and_apart(void **state)
{
	enum { MANY = 3000 };
	struct arena *arena = arena_new();
	unsigned char *pieces[MANY];

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		pieces[i] = arena_alloc(arena, i);
		assert_int_equal((uintptr_t)pieces[i] % alignof(max_align_t), 0);
		for (size_t j = 0; j < i; j++)
			assert_int_equal(pieces[i][j], 0);
		memset(pieces[i], (int)(i % 251), i);
	}
	for (size_t i = 0; i < MANY; i++)
		for (size_t j = 0; j < i; j++)
			assert_int_equal(pieces[i][j], i % 251);
	assert_null(arena_free(arena));
	assert_null(arena_free(NULL));
}

static void large_pieces(void **state)
{
	struct arena *arena = arena_new();
	char *p = arena_array(arena, 3 << 20, 2), *q = arena_alloc(arena, 1);

	(void)state;
	memset(p, 'x', 6 << 20);
	assert_int_equal(*q, 0);
	arena_free(arena);
}

static void texts(void **state)
{
	struct arena *arena = arena_new();
	char *long_text;

	(void)state;
	assert_null(arena_str(arena, NULL));
	assert_string_equal(arena_str(arena, ""), "");
	assert_string_equal(arena_str_n(arena, "abcdef", 3), "abc");
	assert_string_equal(arena_fmt(arena, "%d-%s", 7, "x"), "7-x");
	assert_memory_equal(arena_dup(arena, "a\0b", 3), "a\0b", 3);
	assert_non_null(arena_dup(arena, NULL, 0));
	long_text = arena_fmt(arena, "%010000d", 1);
	assert_int_equal(strlen(long_text), 10000);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_aligned_zeroed_and_apart),
		cmocka_unit_test(large_pieces),
		cmocka_unit_test(texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
