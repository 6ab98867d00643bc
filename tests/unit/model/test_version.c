/* Versions: the grammar, the order (semver.org, 11), and what lies between two releases. */
#include "model/version.h"

#include "base/alloc.h"
#include "base/str.h"
#include "package/control.h"
#include "unit/support.h"

static void grammar(void **state)
{
	static const char *const good[] = {
		"1",          "1.0",         "1.4.0",         "2026.01.15", "1.2.3.4",
		"1.0.0-rc.1", "1.0.0-alpha", "1.0.0+build.5", "10.0-x-y",   "1.0.0-rc.1+g1"
	};
	static const char *const bad[] = { "",         "v1.0",     "1.",    ".1",
		                           "1..2",     "1.0-",     "1.0+",  "1.x",
		                           "1.0-a..b", "1.0 beta", "1.0-ä", "1.2.3.4.5.6.7",
		                           "latest" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (version_fault(good[i]))
			fail_msg("%s: %s", good[i], version_fault(good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (!version_fault(bad[i]))
			fail_msg("\"%s\" was taken", bad[i]);
}

/* Each is older than the next; those on one line are equal. */
static void order(void **state)
{
	static const char *const rising[] = {
		"0.9",
		"1.0.0-alpha",
		"1.0.0-alpha.1",
		"1.0.0-alpha.beta",
		"1.0.0-beta",
		"1.0.0-beta.2",
		"1.0.0-beta.11",
		"1.0.0-rc.1",
		"1.0.0-rc.1.dev.3+gabc",
		"1.0.0-rc.2",
		"1.0.0",
		"1.0.1-dev.7+g12",
		"1.0.1",
		"1.10.0",
		"2026.01",
		"2026.2",
		"2026.10",
	};

	(void)state;
	for (size_t i = 0; i + 1 < ARRAY_LEN(rising); i++) {
		if (version_cmp(rising[i], rising[i + 1]) >= 0 ||
		    version_cmp(rising[i + 1], rising[i]) <= 0)
			fail_msg("%s, %s", rising[i], rising[i + 1]);
		assert_int_equal(version_cmp(rising[i], rising[i]), 0);
	}
	assert_int_equal(version_cmp("1.0+a", "1.0+b"), 0);
	assert_int_equal(version_cmp("1.01", "1.1"), 0);
}

static void snapshots(void **state)
{
	static const struct {
		const char *version;
		unsigned long distance;
		bool dirty;
		const char *snapshot, *next;
	} cases[] = {
		{ "1.4.0", 7, false, "1.4.1-dev.7+gabc1234", "1.4.1" },
		{ "1.4.9", 0, true, "1.4.10-dev.0+gabc1234.dirty", "1.4.10" },
		{ "1.0.0-rc.1", 2, false, "1.0.0-rc.1.dev.2+gabc1234", "1.0.0-rc.2" },
		{ "2026.01", 3, false, "2026.02-dev.3+gabc1234", "2026.02" },
		{ "9", 1, false, "10-dev.1+gabc1234", "10" },
		{ "0.0.0+x", 1, false, "0.0.1-dev.1+gabc1234", "0.0.1" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_free_ char *text = version_snapshot(cases[i].version, cases[i].distance,
		                                             "abc1234def", cases[i].dirty);

		assert_string_equal(text, cases[i].snapshot);
		assert_null(version_fault(text));
		assert_true(version_cmp(cases[i].version, text) < 0);
		assert_true(version_cmp(text, cases[i].next) < 0);
	}
}

/* dpkg orders the versions that packages get as these were meant. */
static void dpkg_agrees(void **state)
{
	static const char *const rising[] = {
		"1.0.0-alpha", "1.0.0-rc.1", "1.0.0-rc.1.dev.2+gabc1234",
		"1.0.0-rc.2",  "1.0.0",      "1.0.1-dev.7+gabc1234",
		"1.0.1",       "2026.01",    "2026.02-dev.3+gabc1234"
	};

	(void)state;
	if (system("dpkg --version >/dev/null 2>&1") != 0)
		skip();
	for (size_t i = 0; i + 1 < ARRAY_LEN(rising); i++) {
		_cleanup_free_ char *a = NULL, *b = NULL, *command = NULL;
		struct err err = ERR_INIT;

		must(deb_version(rising[i], &a, &err), &err);
		must(deb_version(rising[i + 1], &b, &err), &err);
		command = str_fmt("dpkg --compare-versions '%s' lt '%s'", a, b);
		if (system(command) != 0)
			fail_msg("%s is not below %s", a, b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grammar),
		cmocka_unit_test(order),
		cmocka_unit_test(snapshots),
		cmocka_unit_test(dpkg_agrees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
