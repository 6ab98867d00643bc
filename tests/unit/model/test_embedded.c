/* The embedded table: sorted, complete, found by path, each entry the bytes of its file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/embedded.h"

static void table_is_sorted_and_ended(void **state)
{
	(void)state;
	for (size_t i = 0; i + 1 < kiln_embedded_count; i++)
		assert_true(strcmp(kiln_embedded[i].path, kiln_embedded[i + 1].path) < 0);
	assert_null(kiln_embedded[kiln_embedded_count].path);
	assert_int_equal(kiln_embedded[kiln_embedded_count].size, 0);
}

static void every_entry_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < kiln_embedded_count; i++)
		assert_ptr_equal(embedded_find(kiln_embedded[i].path), &kiln_embedded[i]);
	assert_null(embedded_find("toolchains/no such file"));
	assert_null(embedded_find(""));
}

/* Tests run in the project root, where the files come from. */
static void entries_hold_the_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < kiln_embedded_count; i++) {
		const struct embedded_file *file = &kiln_embedded[i];
		FILE *f = fopen(file->path, "re");

		assert_non_null(f);
		for (size_t at = 0; at < file->size; at++)
			assert_int_equal(fgetc(f), file->data[at]);
		assert_int_equal(fgetc(f), EOF);
		assert_int_equal(fclose(f), 0);
		assert_int_equal(file->data[file->size], 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_is_sorted_and_ended),
		cmocka_unit_test(every_entry_is_found),
		cmocka_unit_test(entries_hold_the_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
