/* kiln.lock: sections by path, whole files or none, and what is refused. */
#include "unit/support.h"

#include <sys/stat.h>

#include "base/str.h"
#include "model/lock.h"

struct place {
	char *dir, *path;
};

static void place_init(struct place *place)
{
	place->dir = test_folder();
	place->path = str_fmt("%s/" LOCK_FILE, place->dir);
}

static void place_deinit(struct place *place)
{
	test_folder_remove(place->dir);
	free(place->path);
}

static void sections_by_path(void **state)
{
	json_t *lock = lock_new();

	(void)state;
	assert_null(lock_image(lock, "trixie", "amd64"));
	assert_null(lock_source(lock, "gawk", "source"));
	assert_null(lock_profile(lock, "gawk", "t", "pgo"));
	assert_null(lock_verdict(lock, "gawk", "t"));
	assert_null(lock_toolchain(lock, "llvm-19"));

	lock_set_image(lock, "trixie", "amd64", json_integer(1));
	lock_set_image(lock, "trixie", "arm64", json_integer(2));
	lock_set_source(lock, "gawk", "source", json_integer(3));
	lock_set_source(lock, "lua", "source", json_integer(4));
	lock_set_profile(lock, "gawk", "t", "pgo", json_integer(5));
	lock_set_profile(lock, "gawk", "t", "bolt", json_integer(6));
	lock_set_profile(lock, "gawk", "u", "pgo", json_integer(7));
	lock_set_verdict(lock, "gawk", "t", json_integer(8));
	lock_set_toolchain(lock, "llvm-19", "sha256:00");
	lock_set_library(lock, "sha256:11");

	assert_int_equal(json_integer_value(lock_image(lock, "trixie", "amd64")), 1);
	assert_int_equal(json_integer_value(lock_image(lock, "trixie", "arm64")), 2);
	assert_int_equal(json_integer_value(lock_source(lock, "gawk", "source")), 3);
	assert_int_equal(json_integer_value(lock_source(lock, "lua", "source")), 4);
	assert_int_equal(json_integer_value(lock_profile(lock, "gawk", "t", "pgo")), 5);
	assert_int_equal(json_integer_value(lock_profile(lock, "gawk", "t", "bolt")), 6);
	assert_int_equal(json_integer_value(lock_profile(lock, "gawk", "u", "pgo")), 7);
	assert_int_equal(json_integer_value(lock_verdict(lock, "gawk", "t")), 8);
	assert_string_equal(lock_toolchain(lock, "llvm-19"), "sha256:00");
	assert_null(lock_profile(lock, "gawk", "t", "other"));
	assert_null(lock_verdict(lock, "gawk", "u"));

	/* Setting again replaces one thing and leaves its neighbours. */
	lock_set_profile(lock, "gawk", "t", "pgo", json_integer(50));
	assert_int_equal(json_integer_value(lock_profile(lock, "gawk", "t", "pgo")), 50);
	assert_int_equal(json_integer_value(lock_profile(lock, "gawk", "t", "bolt")), 6);
	assert_int_equal(json_integer_value(lock_verdict(lock, "gawk", "t")), 8);
	json_decref(lock);
}

/* A section that somebody's hand made something else is no crash, and is mended by setting. */
static void odd_sections(void **state)
{
	static const char *const odd[] = {
		"{\"schema\":\"kiln.lock/1\",\"images\":7,\"recipes\":[],\"sources\":null,"
		"\"toolchains\":\"x\"}",
		"{\"schema\":\"kiln.lock/1\",\"images\":{\"trixie\":[]},\"recipes\":{\"gawk\":1},"
		"\"toolchains\":{\"llvm-19\":{}}}",
		"{\"schema\":\"kiln.lock/1\",\"recipes\":{\"gawk\":{\"t\":{\"profiles\":true}}}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		json_t *lock = json_loads(odd[i], 0, NULL);

		assert_non_null(lock);
		assert_null(lock_image(lock, "trixie", "amd64"));
		assert_null(lock_profile(lock, "gawk", "t", "pgo"));
		assert_null(lock_verdict(lock, "gawk", "t"));
		assert_null(lock_source(lock, "gawk", "source"));
		assert_null(lock_toolchain(lock, "llvm-19"));
		lock_set_image(lock, "trixie", "amd64", json_integer(1));
		lock_set_profile(lock, "gawk", "t", "pgo", json_integer(2));
		lock_set_source(lock, "gawk", "source", json_integer(3));
		lock_set_toolchain(lock, "llvm-19", "x");
		assert_int_equal(json_integer_value(lock_image(lock, "trixie", "amd64")), 1);
		assert_int_equal(json_integer_value(lock_profile(lock, "gawk", "t", "pgo")), 2);
		assert_int_equal(json_integer_value(lock_source(lock, "gawk", "source")), 3);
		assert_string_equal(lock_toolchain(lock, "llvm-19"), "x");
		json_decref(lock);
	}
}

/* Equal locks are equal bytes, whatever order they were filled in: they stand in version control. */
static void files_are_sorted(void **state)
{
	struct place place;
	struct err err = ERR_INIT;
	json_t *lock, *back = NULL;
	char *a, *b;
	struct stat st;

	(void)state;
	place_init(&place);
	lock = lock_new();
	lock_set_source(lock, "gawk", "source", json_integer(1));
	lock_set_image(lock, "trixie", "amd64", json_integer(2));
	must(lock_write(place.path, lock, &err), &err);
	json_decref(lock);
	a = test_read(AT_FDCWD, place.path);
	lock = lock_new();
	lock_set_image(lock, "trixie", "amd64", json_integer(2));
	lock_set_source(lock, "gawk", "source", json_integer(1));
	must(lock_write(place.path, lock, &err), &err);
	b = test_read(AT_FDCWD, place.path);
	assert_string_equal(a, b);
	assert_string_equal(a, "{\n  \"images\": {\n    \"trixie\": {\n      \"amd64\": 2\n    }\n"
	                       "  },\n  \"schema\": \"kiln.lock/1\",\n  \"sources\": {\n"
	                       "    \"source@gawk\": 1\n  }\n}\n");
	must(lock_read(place.path, &back, NULL, &err), &err);
	assert_true(json_equal(lock, back));
	assert_int_equal(stat(place.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	json_decref(lock);
	json_decref(back);
	free(a);
	free(b);
	place_deinit(&place);
}

static void files_that_are_no_lock(void **state)
{
	static const struct {
		const char *text, *says, *hint;
	} cases[] = {
		{ "", "not valid JSON", "" },
		{ "{", "not valid JSON", "take it back from version control; or remove it" },
		{ "[]", "is no lock of Kiln", "" },
		{ "{}", "schema \"kiln.lock/1\" is missing", "" },
		{ "{\"schema\":1}", "is no lock of Kiln", "" },
		{ "{\"schema\":\"other/1\"}", "is no lock of Kiln", "" },
		{ "{\"schema\":\"kiln.lock/2\"}", "has the schema \"kiln.lock/2\"",
		  "a newer Kiln" },
		{ "{\"schema\":\"kiln.lock/1\",\"a\":1,\"a\":2}", "duplicate", "" },
		{ "{\"schema\":\"kiln.lock/1\"}\n<<<<<<< ours", "not valid JSON",
		  "it has the marks of a merge" },
	};
	struct place place;

	(void)state;
	place_init(&place);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = ERR_INIT;
		json_t *lock = NULL;

		test_write(AT_FDCWD, place.path, cases[i].text, 0644);
		assert_int_equal(lock_read(place.path, &lock, NULL, &err), -1);
		assert_null(lock);
		assert_int_equal(err.code, ERR_INPUT);
		assert_contains(err.cause, LOCK_FILE);
		assert_contains(err.cause, cases[i].says);
		assert_contains(err.hint, cases[i].hint);
	}
	place_deinit(&place);
}

static void no_lock_is_no_error(void **state)
{
	struct place place;
	struct err err = ERR_INIT;
	json_t *lock = NULL;

	(void)state;
	place_init(&place);
	assert_int_equal(lock_read(place.path, &lock, NULL, &err), FS_MISSING);
	assert_null(lock);
	assert_int_equal(err.code, ERR_NONE);
	place_deinit(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sections_by_path),    cmocka_unit_test(odd_sections),
		cmocka_unit_test(files_are_sorted),    cmocka_unit_test(files_that_are_no_lock),
		cmocka_unit_test(no_lock_is_no_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
