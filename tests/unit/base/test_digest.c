/* Digests as text: one spelling, strictly read. */
#include "base/digest.h"
#include "unit/support.h"

#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void text_and_back(void **state)
{
	struct digest digest, other;

	(void)state;
	assert_true(digest_parse(ABC, &digest));
	assert_int_equal(digest.bytes[0], 0xba);
	assert_int_equal(digest.bytes[31], 0xad);
	assert_string_equal(DIGEST_TEXT(&digest), ABC);
	assert_true(digest_parse("sha256:" ABC, &other));
	assert_true(digest_eq(&digest, &other));
	other.bytes[31] ^= 1;
	assert_false(digest_eq(&digest, &other));
}

static void anything_else_is_no_digest(void **state)
{
	static const char *const bad[] = {
		"",
		"sha256:",
		"sha512:" ABC,
		"SHA256:" ABC,
		ABC "0",
		ABC " ",
		"sha256:sha256:" ABC,
		"BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a",
		"ga7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct digest digest = { { 7 } };

		assert_false(digest_parse(bad[i], &digest));
		assert_int_equal(digest.bytes[0], 7);
	}
}

static void none(void **state)
{
	struct digest digest = { { 0 } };

	(void)state;
	assert_true(digest_is_none(&digest));
	digest.bytes[31] = 1;
	assert_false(digest_is_none(&digest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_and_back),
		cmocka_unit_test(anything_else_is_no_digest),
		cmocka_unit_test(none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
