/* Container definitions and the lock's section of an image. */
#include "image/section.h"

#include "unit/support.h"

#define HASH "1f2d11cd9b09419e86cf069571728802a068bb94d1947f3328ed430ab9b7540e"

static json_t *json_of(const char *text)
{
	struct err err = ERR_INIT;
	json_t *json;

	must(json_parse(text, strlen(text), "test", &json, &err), &err);
	return json;
}

static const char good[] = "{\"suite\":\"trixie\",\"architectures\":[\"amd64\",\"arm64\"],"
			   "\"packages\":[\"make\",\"libc6-dev:arm64\"],"
			   "\"files\":[{\"deb\":\"x:arm64\",\"path\":\"usr/x\",\"to\":\"opt/x\"}]}";

static void test_definition(void **state)
{
	_cleanup_json_ json_t *json = json_of(good);
	struct image_definition definition;
	struct err err = ERR_INIT;

	(void)state;
	must(image_definition_init(&definition, "trixie", json, "arm64", &err), &err);
	assert_string_equal(definition.suite, "trixie");
	assert_int_equal(definition.architectures.n, 2);
	assert_string_equal(definition.architectures.v[0], "arm64"); /* the build's comes first */
	assert_string_equal(definition.architectures.v[1], "amd64");
	assert_null(definition.architectures.v[2]);
	assert_int_equal(definition.packages.n, 2);
	assert_string_equal(definition.files.v[0].to, "opt/x");
	image_definition_deinit(&definition);
	assert_int_equal(image_definition_init(&definition, "trixie", json, "riscv64", &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	assert_contains(err.cause, "is not defined for builds on riscv64");
}

static void test_too_large_a_definition(void **state)
{
	_cleanup_json_ json_t *json = json_of(good);
	_cleanup_free_ char *suite = alloc((1 << 20) + 1);
	struct image_definition definition;
	struct err err = ERR_INIT;

	(void)state;
	memset(suite, 'x', 1 << 20);
	json_object_set_new(json, "suite", json_string(suite));
	assert_int_equal(image_definition_init(&definition, "mine", json, "amd64", &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	assert_string_equal(err.cause, "container mine: its definition is too large");
}

static void test_bad_definitions(void **state)
{
	static const char *const bad[] = {
		"[]",
		"{}",
		"{\"suite\":\"../x\"}",
		"{\"suite\":\"trixie x\"}",
		"{\"suite\":\"trixie\",\"distribution\":\"fedora\"}",
		"{\"suite\":\"trixie\",\"packages\":[\"-o\"]}",
		"{\"suite\":\"trixie\",\"packages\":[\"?essential\"]}",
		"{\"suite\":\"trixie\",\"packages\":[\"a b\"]}",
		"{\"suite\":\"trixie\",\"packages\":[1]}",
		"{\"suite\":\"trixie\",\"architectures\":[\"amd64\",\"a,b\"]}",
		"{\"suite\":\"trixie\",\"files\":[{\"deb\":\"x\",\"path\":\"/usr/x\",\"to\":\"x\"}]}",
		"{\"suite\":\"trixie\",\"files\":[{\"deb\":\"x\",\"path\":\"x\",\"to\":\"../x\"}]}",
		"{\"suite\":\"trixie\",\"files\":[{\"deb\":\"x\",\"path\":\"x\"}]}",
		"{\"suite\":\"trixie\",\"snapshot\":\"a/b\"}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		_cleanup_json_ json_t *json = json_of(bad[i]);
		struct image_definition definition;
		struct err err = ERR_INIT;

		if (image_definition_init(&definition, "mine", json, "amd64", &err) != -1)
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(err.code, ERR_INPUT);
		assert_contains(err.cause, "mine");
		if (i == 0)
			assert_contains(err.cause, "its definition is no object");
	}
}

static void test_round_trip(void **state)
{
	_cleanup_json_ json_t *json = json_of(good), *first = NULL, *second = NULL;
	struct image_section section = { 0 }, again;
	struct image_definition definition;
	struct blob_ref ref = { .size = 5 };
	struct err err = ERR_INIT;

	(void)state;
	digest_parse(HASH, &ref.digest);
	must(image_definition_init(&definition, "trixie", json, "amd64", &err), &err);
	section.tree = ref.digest;
	section.container = definition.digest;
	debs_add(&section.packages, "make", "4.4.1-2", "amd64", &ref);
	debs_add(&section.files, "x", "1:2", "arm64", &ref);
	first = image_section_write(&section, &definition);
	must(image_section_read(&again, &definition, first, "kiln.lock", &err), &err);
	second = image_section_write(&again, &definition);
	assert_true(json_equal(first, second));
	assert_string_equal(again.files.list.v[0].version, "1:2");
	image_section_deinit(&again);
	image_section_deinit(&section);
	image_definition_deinit(&definition);
}

static void change(json_t *section, const char *list, const char *key, json_t *value)
{
	json_object_set_new(json_array_get(json_object_get(section, list), 0), key, value);
}

static void test_bad_sections(void **state)
{
	static const char *const words[] = {
		"tree",
		"is no SHA-256 digest",
		"it was made for another definition of container trixie",
		"packages",
		"is no SHA-256 digest",
		"is malformed",
		"is malformed",
		"is malformed",
		"is not the one container trixie",
		"files, container trixie has 1",
		"member \"resolved\" is no time like 20260131T142703Z",
	};
	_cleanup_json_ json_t *json = json_of(good);
	struct image_section section = { 0 };
	struct image_definition definition;
	struct blob_ref ref = { .size = 5 };
	struct err err = ERR_INIT;

	(void)state;
	digest_parse(HASH, &ref.digest);
	must(image_definition_init(&definition, "trixie", json, "amd64", &err), &err);
	section.tree = ref.digest;
	section.container = definition.digest;
	debs_add(&section.packages, "make", "4.4.1-2", "amd64", &ref);
	debs_add(&section.files, "x", "1:2", "arm64", &ref);
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		_cleanup_json_ json_t *bad = image_section_write(&section, &definition);
		struct image_section read;

		switch (i) {
		case 0:
			json_object_del(bad, "tree");
			break;
		case 1:
			json_object_set_new(bad, "tree", json_string("sha256:12"));
			break;
		case 2:
			json_object_set_new(bad, "container", json_string("sha256:" HASH));
			break;
		case 3:
			json_object_set_new(bad, "packages", json_string("x"));
			break;
		case 4:
			change(bad, "packages", "sha256", json_string("x"));
			break;
		case 5:
			change(bad, "packages", "size", json_integer(-1));
			break;
		case 6:
			change(bad, "packages", "name", json_string("-o"));
			break;
		case 7:
			change(bad, "packages", "version", json_string("1 2"));
			break;
		case 8:
			change(bad, "files", "to", json_string("elsewhere"));
			break;
		case 9:
			json_array_clear(json_object_get(bad, "files"));
			break;
		default:
			json_object_set_new(bad, "resolved", json_string("today"));
			break;
		}
		err_clear(&err);
		if (image_section_read(&read, &definition, bad, "kiln.lock: x", &err) != -1)
			fail_msg("case %zu accepted", i);
		assert_int_equal(err.code, ERR_INPUT);
		assert_contains(err.cause, "kiln.lock: x");
		assert_contains(err.cause, words[i]);
	}
	image_section_deinit(&section);
	image_definition_deinit(&definition);
}

static void test_installed(void **state)
{
	static const char status[] =
		"Package: make\nStatus: install ok installed\nArchitecture: amd64\n"
		"Version: 4.4.1-2\n\nPackage: old\nStatus: deinstall ok "
		"config-files\nArchitecture: amd64\nVersion: 1\n";
	struct image_section section = { 0 };
	struct blob_ref ref = { .size = 5 };
	struct err err = ERR_INIT;

	(void)state;
	debs_add(&section.packages, "unused", "1", "amd64", &ref);
	debs_add(&section.packages, "make", "4.4.1-2", "amd64", &ref);
	must(image_section_installed(&section, str_of(status), &err), &err);
	assert_int_equal(section.packages.list.n, 1);
	assert_string_equal(section.packages.list.v[0].name, "make");
	debs_deinit(&section.packages);
	assert_int_equal(image_section_installed(&section, str_of(status), &err), -1);
	assert_int_equal(err.code, ERR_BUG);
	image_section_deinit(&section);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_definition),
		cmocka_unit_test(test_too_large_a_definition),
		cmocka_unit_test(test_bad_definitions),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_bad_sections),
		cmocka_unit_test(test_installed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
