/* Base64: RFC 4648's vectors, and that each byte string has one text only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "external/base64.h"

static void vectors(void **state)
{
	static const char *const cases[][2] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct buf text = BUF_INIT(100), back = BUF_INIT(100);
		struct err err = ERR_INIT;

		base64_encode(cases[i][0], strlen(cases[i][0]), &text);
		assert_string_equal(buf_text(&text), cases[i][1]);
		assert_int_equal(base64_decode(cases[i][1], "it", &back, &err), 0);
		assert_string_equal(buf_text(&back), cases[i][0]);
	}
}

static void long_input_survives(void **state)
{
	enum { N = 10007 };
	_cleanup_buf_ struct buf text = BUF_INIT(1 << 20), back = BUF_INIT(1 << 20);
	_cleanup_free_ uint8_t *bytes = alloc(N);
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < N; i++)
		bytes[i] = (uint8_t)(i * 7);
	base64_encode(bytes, N, &text);
	assert_int_equal(base64_decode(buf_text(&text), "it", &back, &err), 0);
	assert_int_equal(back.n, N);
	assert_memory_equal(back.p, bytes, N);
}

static void loose_text_is_refused(void **state)
{
	static const char *const bad[] = {
		"Zg",     "Zg=",    "Zg===", "Zm9",  "Zm9v ", " Zm9v",
		"Zm9v\n", "Zm\n9v", "Zm-v",  "Zm_v", "=",
	};
	/* Stray bits, or padding within the text. */
	static const char *const loose[] = { "Zh==", "Zm9=", "A===", "====", "Zg==Zg==" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		_cleanup_buf_ struct buf back = BUF_INIT(100);
		struct err err = ERR_INIT;

		if (base64_decode(bad[i], "it", &back, &err) == 0)
			fail_msg("accepted \"%s\"", bad[i]);
		assert_int_equal(err.code, ERR_INPUT);
		if (!strstr(err.cause, "it is not base64"))
			fail_msg("\"%s\": %s", bad[i], err.cause);
	}
	for (size_t i = 0; i < ARRAY_LEN(loose); i++) {
		_cleanup_buf_ struct buf back = BUF_INIT(100);
		struct err err = ERR_INIT;

		if (base64_decode(loose[i], "it", &back, &err) == 0)
			fail_msg("accepted \"%s\"", loose[i]);
		assert_int_equal(err.code, ERR_INPUT);
		if (!strstr(err.cause, "it is not canonical base64"))
			fail_msg("\"%s\": %s", loose[i], err.cause);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors),
		cmocka_unit_test(long_input_survives),
		cmocka_unit_test(loose_text_is_refused),
	};

	return cmocka_run_group_tests_name("external/base64", tests, NULL, NULL);
}
