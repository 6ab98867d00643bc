/*
 * Declarative cases: each folder tests/cases/recipe-NAME holds a project with a kiln.lua and what
 * evaluating it must give: `error` (the whole message, then the hint behind "hint: "), or `facts`,
 * lines of "POINTER JSON" and "POINTER# COUNT" about the document.
 */
#include "recipe/recipe.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/path.h"
#include "base/str.h"
#include "host/fs.h"
#include "stages/stage.h"

static const char cases_folder[] = "tests/cases";

enum { KINDS_MOST = 64, TEXT_MOST = 1 << 20 };

static int load(const char *folder, unsigned int cpu_ms, json_t **ret, struct err *err)
{
	struct recipe_kind kinds[KINDS_MOST + 1] = { 0 };
	struct recipe_request request = {
		.project = folder,
		.recipe = "kiln.lua",
		.kinds = kinds,
		.common = stage_common_fields,
		.cpu_ms = cpu_ms,
	};

	for (size_t i = 0; stage_kinds[i]; i++)
		kinds[i] = (struct recipe_kind){ stage_kinds[i]->name, stage_kinds[i]->fields };
	return recipe_load(&request, ret, err);
}

static bool read_text(const char *folder, const char *name, struct buf *text)
{
	_cleanup_free_ char *path = path_join(folder, name);
	struct err err = ERR_INIT;

	return fs_read(AT_FDCWD, path, text, &err) == 0;
}

/* The part a pointer names; positions count from 0; "~1" is '/'. */
static json_t *part_of(json_t *json, const char *pointer)
{
	_cleanup_free_ char *copy = str_dup(pointer);
	char *rest = copy[0] ? copy + 1 : NULL;

	while (rest && json) {
		char *part = strsep(&rest, "/");

		for (char *p = part; (p = strstr(p, "~1"));) {
			*p++ = '/';
			memmove(p, p + 1, strlen(p));
		}
		json = json_is_array(json) ? json_array_get(json, strtoul(part, NULL, 10)) :
		                             json_object_get(json, part);
	}
	return json;
}

static void check_fact(const char *line, json_t *document)
{
	const char *blank = strchr(line, ' ');
	_cleanup_free_ char *pointer = str_dup_n(line, (size_t)(blank - line));
	size_t n = strlen(pointer);
	_cleanup_json_ json_t *wanted = json_loads(blank + 1, JSON_DECODE_ANY, NULL);
	json_t *found;

	assert_non_null(wanted);
	if (n && pointer[n - 1] == '#') {
		pointer[n - 1] = '\0';
		found = part_of(document, pointer);
		assert_int_equal(json_is_array(found) ? json_array_size(found) :
		                                        json_object_size(found),
		                 json_integer_value(wanted));
		return;
	}
	found = part_of(document, pointer);
	if (!found || !json_equal(found, wanted)) {
		char *text = found ? json_dumps(found, JSON_ENCODE_ANY | JSON_SORT_KEYS) : NULL;

		fail_msg("%s is %s, wanted %s", pointer, text ? text : "not there", blank + 1);
	}
}

static void check_facts(const struct buf *facts, json_t *document)
{
	struct str rest = buf_str(facts), line;

	while (str_cut(&rest, '\n', &line)) {
		_cleanup_free_ char *text = str_dup_n(line.p, line.n);

		if (text[0] && strchr(text, ' '))
			check_fact(text, document);
	}
}

static void run_case(void **state)
{
	const char *folder = *state;
	_cleanup_buf_ struct buf wanted = BUF_INIT(TEXT_MOST), facts = BUF_INIT(TEXT_MOST);
	_cleanup_json_ json_t *document = NULL;
	_cleanup_free_ char *text = NULL;
	struct err err = ERR_INIT;
	bool refuses = read_text(folder, "error", &wanted);
	/* Only a case about time is short of it: sanitizers are slow. */
	bool timed = strstr(buf_text(&wanted), "1.5 s of processor time");
	int rc = load(folder, timed ? 1500 : 30000, &document, &err);

	assert_true(refuses != read_text(folder, "facts", &facts));
	if (!refuses) {
		assert_string_equal(err.cause, "");
		assert_int_equal(rc, 0);
		check_facts(&facts, document);
		return;
	}
	assert_int_equal(rc, -1);
	assert_null(document);
	text = str_fmt("%s\n%s%s%s", err.cause, err.hint[0] ? "hint: " : "", err.hint,
	               err.hint[0] ? "\n" : "");
	assert_string_equal(text, buf_text(&wanted));
	assert_int_equal(err.code, ERR_INPUT);
}

int main(void)
{
	struct fs_names names = { 0 };
	ARRAY(struct CMUnitTest) tests = { 0 };
	struct err err = ERR_INIT;
	int failed;

	if (fs_list(AT_FDCWD, cases_folder, &names, &err) != 0) {
		fprintf(stderr, "test_cases: run it in the project's root\n");
		return 1;
	}
	for (size_t i = 0; i < names.names.n; i++)
		if (str_starts(names.names.v[i], "recipe-"))
			array_push(&tests, ((struct CMUnitTest){
						   .name = names.names.v[i],
						   .test_func = run_case,
						   .initial_state = str_fmt("%s/%s", cases_folder,
			                                                    names.names.v[i]),
					   }));
	if (tests.n < 20) {
		fprintf(stderr, "test_cases: %zu cases in %s, where are the others?\n", tests.n,
		        cases_folder);
		return 1;
	}
	failed = _cmocka_run_group_tests("recipe cases", tests.v, tests.n, NULL, NULL);
	for (size_t i = 0; i < tests.n; i++)
		free(tests.v[i].initial_state);
	array_deinit(&tests);
	fs_names_deinit(&names);
	return failed;
}
