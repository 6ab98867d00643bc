/* Descriptions of source packages, changelogs and their dates. */
#include "source/dsc.h"

#include "unit/support.h"

#define HASH "1f2d11cd9b09419e86cf069571728802a068bb94d1947f3328ed430ab9b7540e"

static void test_dsc(void **state)
{
	static const char text[] = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n"
				   "Format: 3.0 (quilt)\nSource: gawk\nVersion: 1:5.2.1-2\n"
				   "Checksums-Sha1:\n 00 1 gawk.tar\nChecksums-Sha256:\n " HASH
				   " 3406964 gawk_5.2.1.orig.tar.xz\n " HASH
				   " 12 gawk_5.2.1-2.debian.tar.xz\nFiles:\n 00 1 x\n\n"
				   "-----BEGIN PGP SIGNATURE-----\n\nabc\n";
	struct dsc dsc = { 0 };
	struct err err = ERR_INIT;

	(void)state;
	must(dsc_parse(str_of(text), "gawk.dsc", &dsc, &err), &err);
	assert_string_equal(dsc.source, "gawk");
	assert_string_equal(dsc.version, "1:5.2.1-2");
	assert_string_equal(dsc.format, "3.0 (quilt)");
	assert_int_equal(dsc.files.n, 2);
	assert_string_equal(dsc.files.v[0].name, "gawk_5.2.1.orig.tar.xz");
	assert_int_equal(dsc.files.v[0].ref.size, 3406964);
	assert_string_equal(DIGEST_TEXT(&dsc.files.v[1].ref.digest), HASH);
	dsc_deinit(&dsc);
}

#define SUMS "Source: x\nVersion: 1\nChecksums-Sha256:\n"
#define NO_PACKAGE "bad.dsc: no source package's description"
#define MALFORMED "bad.dsc: a line of Checksums-Sha256 is malformed"

static void test_malformed_dsc(void **state)
{
	static const struct {
		const char *text, *part;
	} bad[] = {
		{ "", "bad.dsc: empty" },
		{ "Source: x\n", NO_PACKAGE },
		{ "Version: 1\n", NO_PACKAGE },
		{ "Source: x\nVersion: 1\n", "bad.dsc: it lists no files with SHA-256" },
		{ SUMS, "bad.dsc: it lists no files with SHA-256" },
		{ SUMS " " HASH " 1\n", MALFORMED },
		{ SUMS " " HASH " 1 a b\n", MALFORMED },
		{ SUMS " " HASH " -1 a\n", MALFORMED },
		{ SUMS " " HASH " 1 ../a\n", MALFORMED },
		{ SUMS " " HASH " 1 ..\n", MALFORMED },
		{ SUMS " " HASH " 1 -x\n", MALFORMED },
		{ SUMS " 1234 1 a\n", MALFORMED },
		{ SUMS " Zf2d11cd9b09419e86cf069571728802a068bb94d1947f3328ed430ab9b7540e 1 a\n",
		  MALFORMED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct dsc dsc = { 0 };
		struct err err = ERR_INIT;

		if (dsc_parse(str_of(bad[i].text), "bad.dsc", &dsc, &err) != -1)
			fail_msg("accepted: %s", bad[i].text);
		assert_int_equal(err.code, ERR_INPUT);
		assert_contains(err.cause, bad[i].part);
	}
}

static void test_dates(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} good[] = {
		{ "Thu, 01 Jan 1970 00:00:00 +0000", 0 },
		{ "Sun, 19 Feb 2023 15:30:53 +0200", 1676813453 },
		{ "Thu, 28 Nov 2024 12:14:18 +0300", 1732785258 },
		{ " Thu,  29 Feb 2024 23:59:60 -0130 ", 1709256600 },
	};
	static const char *const bad[] = { "",
		                           "Sun, 19 Feb 2023 15:30:53",
		                           "19 Feb 2023 15:30:53 +0200",
		                           "Sun, 19 Fev 2023 15:30:53 +0200",
		                           "Sun, 19 Feb 2023 25:30:53 +0200",
		                           "Sun, 19 Feb 2023 15:30 +0200",
		                           "Sun, 19 Feb 2023 15:30:53 0200",
		                           "Sun, 19 Feb 1969 15:30:53 +0200",
		                           "Thu, 01 Jan 1970 00:00:00 +0100",
		                           "Sun, 19 Feb 2023 15:30:53 +0200 x" };
	int64_t seconds;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_true(rfc5322_date(str_of(good[i].text), &seconds));
		assert_int_equal(seconds, good[i].seconds);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (rfc5322_date(str_of(bad[i]), &seconds))
			fail_msg("accepted: %s", bad[i]);
}

static void test_changelog(void **state)
{
	static const char text[] =
		"gawk (1:5.2.1-2) unstable; urgency=medium\n\n  * Fix -- this.\n\n"
		" -- A <b> C <a@b.c>  Sun, 19 Feb 2023 15:30:53 +0200\n\n"
		"gawk (1) unstable; urgency=low\n\n -- A <a@b.c>  Thu, 01 Jan 1970 "
		"00:00:00 +0000\n";
	struct err err = ERR_INIT;
	int64_t date = 0;

	(void)state;
	must(changelog_date(str_of(text), "changelog", &date, &err), &err);
	assert_int_equal(date, 1676813453);
	assert_int_equal(changelog_date(STR("x\n"), "changelog", &date, &err), -1);
	assert_contains(err.cause, "changelog: it has no entry with a date");
	err_clear(&err);
	assert_int_equal(changelog_date(STR(" -- A <a@b.c> Sun\n"), "changelog", &date, &err), -1);
	assert_contains(err.cause, "changelog: its first entry has no readable date:  -- A <a@b");
	assert_int_equal(err.code, ERR_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dsc),
		cmocka_unit_test(test_malformed_dsc),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_changelog),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
