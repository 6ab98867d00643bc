/* JSON files: what no file may hold, and members that are not what is expected. */
#include "external/json.h"

#include "unit/support.h"

static void what_could_not_be_read_back_is_not_written(void **state)
{
	char *dir = test_folder(), *text = alloc(JSON_FILE_MOST);
	int fd = test_open_dir(dir);
	struct err err = ERR_INIT;
	json_t *json;

	(void)state;
	memset(text, 'x', JSON_FILE_MOST);
	json = json_stringn(text, JSON_FILE_MOST);
	assert_int_equal(json_write_file(fd, "it.json", json, &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	assert_string_equal(err.cause, "it.json would be larger than 64 MiB");
	assert_false(fs_exists(fd, "it.json"));
	json_decref(json);
	free(text);
	close(fd);
	test_folder_remove(dir);
}

static void members_are_what_is_expected(void **state)
{
	json_t *json = json_pack("{s:i, s:s}", "n", 1, "s", "x"), *any = NULL;
	const char *text = NULL;
	json_int_t n = 0;
	struct err err = ERR_INIT;

	(void)state;
	must(json_get_int(json, "n", "it", &n, &err), &err);
	must(json_get_str(json, "s", "it", &text, &err), &err);
	assert_int_equal(n, 1);
	assert_string_equal(text, "x");
	assert_int_equal(json_get_str(json, "n", "it", &text, &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	assert_string_equal(err.cause, "it: member \"n\" is not a string");
	err_clear(&err);
	assert_int_equal(json_get_int(json, "m", "it", &n, &err), -1);
	assert_string_equal(err.cause, "it: member \"m\" is missing (expected an integer)");
	err_clear(&err);
	assert_int_equal(json_get_object(json, "m", "it", &any, &err), -1);
	assert_string_equal(err.cause, "it: member \"m\" is missing (expected an object)");
	err_clear(&err);
	assert_int_equal(json_get_array(json, "s", "it", &any, &err), -1);
	assert_string_equal(err.cause, "it: member \"s\" is not an array");
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_could_not_be_read_back_is_not_written),
		cmocka_unit_test(members_are_what_is_expected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
