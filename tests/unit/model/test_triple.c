/* Triples: their parts, and what is no triple. */
#include "unit/support.h"

#include "model/triple.h"

static void test_parts(void **state)
{
	struct triple t;

	(void)state;
	assert_true(triple_parse("x86_64-unknown-linux-gnu", &t));
	assert_string_equal(t.arch, "x86_64");
	assert_string_equal(t.vendor, "unknown");
	assert_string_equal(t.os, "linux");
	assert_string_equal(t.env, "gnu");
	assert_string_equal(t.glibc, "");
	assert_true(triple_parse("aarch64-unknown-linux-gnu.2.28", &t));
	assert_string_equal(t.base, "aarch64-unknown-linux-gnu");
	assert_string_equal(t.glibc, "2.28");
	assert_true(triple_parse("x86_64-apple-darwin", &t));
	assert_string_equal(t.os, "darwin");
	assert_string_equal(t.env, "");
	assert_true(triple_parse("thumbv7em-none-eabihf", &t));
	assert_string_equal(t.os, "none");
	assert_string_equal(t.env, "eabihf");
	assert_true(triple_parse("wasm32-wasip1", &t));
	assert_string_equal(t.os, "wasip1");
}

static void test_every_known_one_parses(void **state)
{
	struct triple t;

	(void)state;
	for (size_t i = 0; triple_known()[i]; i++) {
		assert_true(triple_parse(triple_known()[i], &t));
		assert_string_equal(t.base, triple_known()[i]);
		assert_true(t.arch[0] && t.os[0]);
		if (i)
			assert_true(strcmp(triple_known()[i - 1], triple_known()[i]) < 0);
	}
}

static void test_refused(void **state)
{
	static const char *const bad[] = { "",
		                           "x86_64",
		                           "x86_64-unknown-linux-gnu.",
		                           "x86_64-unknown-linux-gnu.2",
		                           "x86_64-unknown-linux-gnu.2.28.1",
		                           "x86_64-unknown-linux-gnu.a.b",
		                           "x86_64-unknown-linux-musl.2.28",
		                           "X86_64-unknown-linux-gnu",
		                           "x86_64-unknown-linux-gnu ",
		                           NULL };
	struct triple t = { .arch = "kept" };

	(void)state;
	for (size_t i = 0; bad[i]; i++) {
		assert_false(triple_parse(bad[i], &t));
		assert_non_null(triple_fault(bad[i]));
	}
	assert_string_equal(t.arch, "kept");
	assert_null(triple_fault("x86_64-unknown-linux-gnu.2.28"));
	assert_contains(triple_fault("x86_64-unknown-linux-musl.2.28"), "only linux-gnu");
}

static void test_nearest(void **state)
{
	(void)state;
	assert_string_equal(triple_nearest("x86_64-unknown-linux-glibc"),
	                    "x86_64-unknown-linux-gnu");
	assert_string_equal(triple_nearest("aarch64-linux-gnu"), "aarch64-unknown-linux-gnu");
	assert_string_equal(triple_nearest("x86_64-unknown-linux-gun.2.28"),
	                    "x86_64-unknown-linux-gnu");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_every_known_one_parses),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_nearest),
	};

	return cmocka_run_group_tests_name("triple", tests, NULL, NULL);
}
