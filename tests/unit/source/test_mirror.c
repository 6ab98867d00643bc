/* Which archives a machine's apt names: both formats, the likeliest first, nothing foreign. */
#include "source/mirror.h"

#include "unit/support.h"

static char *find(const char *list, const char *extra_name, const char *extra, const char *suite)
{
	char *dir = test_folder();
	int fd = test_open_dir(dir);
	struct mirrors mirrors = { 0 };
	struct err err = ERR_INIT;
	struct buf all = BUF_INIT(1 << 16);

	if (list)
		test_write(fd, "sources.list", list, 0644);
	if (extra)
		test_write(fd, extra_name, extra, 0644);
	must(mirrors_of_machine(dir, suite, &mirrors, &err), &err);
	for (size_t i = 0; i < mirrors.uris.n; i++)
		buf_fmt(&all, "%s ", mirrors.uris.v[i]);
	mirrors_deinit(&mirrors);
	close(fd);
	test_folder_remove(dir);
	return buf_steal(&all);
}

#define FIND(expected, ...)                                                                        \
	do {                                                                                       \
		char *found = find(__VA_ARGS__);                                                   \
		assert_string_equal(found, expected);                                              \
		free(found);                                                                       \
	} while (0)

static void test_lists(void **state)
{
	(void)state;
	FIND("", NULL, NULL, NULL, "trixie");
	FIND("http://a/debian ",
	     "deb http://a/debian bookworm main contrib # deb http://b x main\n", NULL, NULL,
	     "trixie");
	FIND("http://b/debian/ http://a/debian ",
	     "deb http://a/debian bookworm main\n"
	     "deb [arch=amd64 signed-by=/x y=z] http://b/debian/ trixie main\n"
	     "deb http://a/debian bookworm-updates main\n",
	     NULL, NULL, "trixie");
	FIND("http://d/debian http://x/other ",
	     "deb http://x/other bookworm main\ndeb http://d/debian bookworm main\n", NULL, NULL,
	     "trixie");
}

static void test_deb822(void **state)
{
	static const char sources[] =
		"Types: deb deb-src\nURIs: http://a/debian\n http://c/debian\n"
		"Suites: bookworm bookworm-updates\nComponents: main\n\n"
		"Types: deb\nURIs: http://off/debian\nSuites: trixie\n"
		"Components: main\nEnabled: no\n\n"
		"Types: deb-src\nURIs: http://src/debian\nSuites: trixie\n"
		"Components: main\n";

	(void)state;
	FIND("http://a/debian http://c/debian ", NULL, "sources.list.d/debian.sources", sources,
	     "trixie");
	FIND("", NULL, "sources.list.d/debian.sources.disabled", sources, "trixie");
}

static void test_foreign(void **state)
{
	(void)state;
	FIND("",
	     "deb http://a/ubuntu jammy main\ndeb http://v/repo nodistro main\n"
	     "deb http://d/docker bookworm stable\ndeb http://s/debian-security bookworm-security "
	     "main\ndeb cdrom:[Debian]/ bookworm main\ndeb-src http://a/debian trixie main\n"
	     "deb [broken http://a/debian trixie main\ndeb\ndeb http://a/debian\n",
	     NULL, NULL, "trixie");
}

static void test_named(void **state)
{
	struct err err = ERR_INIT;
	char *text, *dir;

	(void)state;
	unsetenv("KILN_DEBIAN_MIRROR");
	assert_null(mirror_named(NULL));
	setenv("KILN_DEBIAN_MIRROR", "http://e/debian", 1);
	assert_string_equal(mirror_named(NULL), "http://e/debian");
	assert_string_equal(mirror_named("http://o/debian"), "http://o/debian");
	unsetenv("KILN_DEBIAN_SNAPSHOT");
	assert_null(mirror_snapshot("debian", "20250901T000000Z"));
	setenv("KILN_DEBIAN_SNAPSHOT", "http://s/archive/", 1);
	text = mirror_snapshot("debian", "20250901T000000Z");
	assert_string_equal(text, "http://s/archive/debian/20250901T000000Z");
	free(text);
	assert_null(mirror_snapshot("debian", NULL));
	setenv("KILN_DEBIAN_KEYRING", "/nowhere/keyring.gpg", 1);
	assert_int_equal(mirror_keyring(&text, &err), -1);
	assert_int_equal(err.code, ERR_MACHINE);
	assert_contains(err.cause,
	                "KILN_DEBIAN_KEYRING names /nowhere/keyring.gpg, which is not there");
	err_clear(&err);
	dir = test_folder();
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(mkdir("a [b]", 0700), 0);
	setenv("KILN_DEBIAN_KEYRING", "a [b]", 1);
	assert_int_equal(mirror_keyring(&text, &err), -1);
	assert_int_equal(err.code, ERR_USAGE);
	assert_contains(err.cause, "/a [b]: the path has a blank");
	/* A relative path is made whole: apt starts elsewhere. */
	assert_int_equal(rename("a [b]", "keys"), 0);
	setenv("KILN_DEBIAN_KEYRING", "keys", 1);
	must(mirror_keyring(&text, &err), &err);
	assert_int_equal(text[0], '/');
	assert_true(str_ends(text, "/keys"));
	free(text);
	assert_int_equal(chdir("/"), 0);
	test_folder_remove(dir);
	unsetenv("KILN_DEBIAN_KEYRING");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_deb822),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
