/* SHA256SUMS: sorted out, strict in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "evidence/sums.h"

#define HEX "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

static void goes_round(void **state)
{
	_cleanup_buf_ struct buf text = BUF_INIT(1 << 16);
	struct sums sums = { 0 }, back;
	struct digest one, two;
	struct err err = ERR_INIT;

	(void)state;
	memset(&one, 1, sizeof(one));
	memset(&two, 2, sizeof(two));
	sums_add(&sums, "b", &one);
	sums_add(&sums, "a", &two);
	sums_write(&sums, &text);
	assert_int_equal(sums_read(text.p, text.n, &back, &err), 0);
	assert_int_equal(back.lines.n, 2);
	assert_string_equal(back.lines.v[0].file, "a");
	assert_true(digest_eq(sums_find(&back, "a"), &two));
	assert_true(digest_eq(sums_find(&back, "b"), &one));
	assert_null(sums_find(&back, "c"));
	sums_deinit(&sums);
	sums_deinit(&back);
}

static void loose_text_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"\n",
		HEX "  a",
		HEX " a\n",
		HEX " *a\n",
		HEX "\ta\n",
		HEX "  \n",
		HEX "  a\n\n",
		HEX "  a\nx\n",
		HEX "  b\n" HEX "  a\n",
		HEX "  a\n" HEX "  a\n",
		HEX "  ../a\n",
		HEX "  a/b\n",
		HEX "  .a\n",
		HEX "  a \n",
		HEX "  a\r\n",
		"\\" HEX "  a\n",
		"0" HEX "  a\n",
		"# comment\n",
		"sha256:" HEX "  a\n",
		"2CF24DBA5FB0A30E26E83B2AC5B9E29E1B161E5C1FA7425E73043362938B9824  a\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct sums sums;
		struct err err = ERR_INIT;

		if (sums_read(bad[i], strlen(bad[i]), &sums, &err) == 0)
			fail_msg("accepted \"%s\"", bad[i]);
		assert_int_equal(err.code, ERR_INPUT);
		assert_non_null(strstr(err.cause, "SHA256SUMS"));
		if (bad[i][0] == '\0' || bad[i][strlen(bad[i]) - 1] != '\n')
			assert_non_null(strstr(err.cause, "SHA256SUMS is empty or cut short"));
	}
}

static void nul_is_refused(void **state)
{
	static const char text[] = HEX "  a\0b\n";
	struct sums sums;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(sums_read(text, sizeof(text) - 1, &sums, &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_round),
		cmocka_unit_test(loose_text_is_refused),
		cmocka_unit_test(nul_is_refused),
	};

	return cmocka_run_group_tests_name("evidence/sums", tests, NULL, NULL);
}
