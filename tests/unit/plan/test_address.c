/* Stage addresses as people type them. */
#include "fakes/fixture.h"

static const char *const addresses[] = {
	"x86_64-linux/shared/configure", "x86_64-linux/plain/build",
	"x86_64-linux/pgo+lto/build",    "x86_64-linux/pgo+lto/train-1",
	"aarch64-linux/plain/build",     "aarch64-linux/pgo+lto/train-1",
};

static void matches(void **state)
{
	static const struct {
		const char *typed;
		const char *hits; /* indices of the addresses */
	} cases[] = {
		{ "x86_64-linux/plain/build", "1" },
		{ "plain/build", "14" },
		{ "build", "124" },
		{ "configure", "0" },
		{ "aarch64/plain/build", "4" },
		{ "a/pgo+lto/train-1", "5" },
		{ "x86_64-linux/*/build", "12" },
		{ "x86/*/build", "12" },
		{ "train-*", "35" },
		{ "pgo+lto/*", "235" },
		{ "*/plain/build", "14" },
		{ "**", "012345" },
		{ "x86_64-linux/**", "0123" },
		{ "[ax]*/plain/build", "14" },
		{ "uild", "" },
		{ "plain", "" },
		{ "plain/", "" },
		{ "/build", "" },
		{ "lto/build", "" },
		{ "arch64/plain/build", "" },
		{ "", "" },
		{ "/", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char hits[8] = "";
		size_t n = 0;

		for (size_t a = 0; a < ARRAY_LEN(addresses); a++)
			if (plan_address_matches(cases[i].typed, addresses[a]))
				hits[n++] = (char)('0' + a);
		if (strcmp(hits, cases[i].hits))
			fail_msg("\"%s\" matches %s, not %s", cases[i].typed, hits, cases[i].hits);
	}
}

static void finding(void **state)
{
	struct stage stages[ARRAY_LEN(addresses)] = { 0 };
	const struct stage *found = NULL;
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(addresses); i++)
		stages[i].address = addresses[i];
	must(plan_find_stage(stages, ARRAY_LEN(stages), "x86/plain/build", &found, &err), &err);
	assert_ptr_equal(found, &stages[1]);
	must(plan_find_stage(stages, ARRAY_LEN(stages), "configure", &found, &err), &err);
	assert_ptr_equal(found, &stages[0]);

	assert_int_equal(plan_find_stage(stages, ARRAY_LEN(stages), "build", &found, &err), -1);
	assert_int_equal(err.code, ERR_USAGE);
	assert_string_equal(err.cause, "\"build\" means several stages, name one:\n"
	                               "  x86_64-linux/plain/build\n"
	                               "  x86_64-linux/pgo+lto/build\n"
	                               "  aarch64-linux/plain/build");
	err = ERR_INIT;
	assert_int_equal(plan_find_stage(stages, ARRAY_LEN(stages), "link", &found, &err), -1);
	assert_int_equal(err.code, ERR_USAGE);
	assert_contains(err.cause, "no stage matches \"link\"");
	assert_ptr_equal(found, &stages[0]);
	err = ERR_INIT;
	assert_int_equal(plan_find_stage(NULL, 0, "link", &found, &err), -1);
}

/* A whole address means its stage, although it is also the end of a longer one. */
static void whole_addresses_win(void **state)
{
	struct stage stages[] = { { .address = "t/plain/build" }, { .address = "plain/build" } };
	const struct stage *found = NULL;
	struct err err = ERR_INIT;

	(void)state;
	must(plan_find_stage(stages, 2, "plain/build", &found, &err), &err);
	assert_ptr_equal(found, &stages[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches),
		cmocka_unit_test(finding),
		cmocka_unit_test(whole_addresses_win),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
