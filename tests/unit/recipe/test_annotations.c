/* The annotations for editors document what is there: every stage kind with its fields, every name
 * of the prelude, every field of the library's own tables; and they are valid Lua. */
#include "unit/support.h"

#include <ctype.h>

#include "base/path.h"
#include "base/str.h"
#include "model/embedded.h"
#include "recipe/recipe.h"
#include "stages/stage.h"

static char *embedded_text(const char *path)
{
	const struct embedded_file *file = embedded_find(path);

	if (!file)
		fail_msg("%s is not embedded", path);
	return str_dup_n((const char *)file->data, file->size);
}

static void assert_documented(const char *text, const char *fmt, const char *name)
{
	_cleanup_free_ char *wanted = str_dup(fmt), *all = NULL;
	char *at = strchr(wanted, '@');

	*at = '\0';
	all = str_fmt("%s%s%s", wanted, name, at + 1);
	if (!strstr(text, all))
		fail_msg("kiln.d.lua does not document \"%s\"", name);
}

static void assert_field(const char *text, const char *name)
{
	_cleanup_free_ char *required = str_fmt("-%cfield %s ", '@', name);
	_cleanup_free_ char *optional = str_fmt("-%cfield %s? ", '@', name);
	_cleanup_free_ char *quoted = str_fmt("-%cfield [\"%s\"]? ", '@', name);

	if (!strstr(text, required) && !strstr(text, optional) && !strstr(text, quoted))
		fail_msg("kiln.d.lua has no field \"%s\"", name);
}

static void test_stage_kinds(void **state)
{
	_cleanup_free_ char *text = embedded_text("recipes/lib/kiln.d.lua");

	(void)state;
	for (size_t i = 0; stage_kinds[i]; i++) {
		_cleanup_free_ char *name = str_dup(stage_kinds[i]->name);
		_cleanup_free_ char *member = NULL;

		for (char *p = name; *p; p++)
			*p = *p == '-' ? '_' : *p;
		member = str_fmt("%s fun", name);
		assert_documented(text, "field @(", member);
		for (const struct schema_field *f = stage_kinds[i]->fields; f->name; f++)
			if (!strstr(text, f->name))
				fail_msg("kiln.d.lua: stage.%s has no field \"%s\"", name, f->name);
	}
	for (const struct schema_field *f = stage_common_fields; f->name; f++)
		assert_field(text, f->name);
}

/* Calls `visit` with the names of "NAME = …" at the start of lines indented by `indent`. */
static void each_name(char *text, const char *indent,
                      void (*visit)(const char *annotations, const char *name),
                      const char *annotations)
{
	size_t n = strlen(indent);

	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		size_t m;

		if (strncmp(line, indent, n) != 0 || !isalpha((unsigned char)line[n]))
			continue;
		m = strspn(line + n, "abcdefghijklmnopqrstuvwxyz_0123456789");
		if (strncmp(line + n + m, " = ", 3) != 0)
			continue;
		line[n + m] = '\0';
		visit(annotations, line + n);
	}
}

static void check_global(const char *annotations, const char *name)
{
	_cleanup_free_ char *function = str_fmt("\nfunction %s(", name);
	_cleanup_free_ char *table = str_fmt("\n%s = {}", name);

	if (!strstr(annotations, function) && !strstr(annotations, table))
		fail_msg("kiln.d.lua does not document the global \"%s\"", name);
}

static void test_prelude(void **state)
{
	_cleanup_free_ char *text = embedded_text("recipes/lib/kiln.d.lua");
	_cleanup_free_ char *prelude = embedded_text("recipes/lib/prelude.lua");

	(void)state;
	each_name(prelude, "  ", check_global, text);
}

static bool is_kind(const char *s, size_t n)
{
	static const char *const all[] = { "text",  "texts", "number", "numbers", "boolean",
		                           "table", "map",   "any",    "file",    "source",
		                           "build", "fdo",   NULL };

	for (size_t i = 0; all[i]; i++)
		if (strlen(all[i]) == n && strncmp(all[i], s, n) == 0)
			return true;
	return false;
}

/* The library's tables of fields: `name = { "kind" …` inside check.fields. */
static void test_library_fields(void **state)
{
	static const char *const files[] = { "release",  "fdo",     "autotools", "make", "source",
		                             "workload", "package", "cargo",     NULL };
	_cleanup_free_ char *text = embedded_text("recipes/lib/kiln.d.lua");
	size_t seen = 0;

	(void)state;
	for (size_t i = 0; files[i]; i++) {
		_cleanup_free_ char *path = str_fmt("recipes/lib/%s.lua", files[i]);
		_cleanup_free_ char *code = embedded_text(path);

		for (char *p = code; (p = strstr(p, " = { \"")); p++) {
			char *start = p;
			size_t kind = strcspn(p + 6, "\"");

			if (!is_kind(p + 6, strcspn(p + 6, "\"|")))
				continue;
			while (start > code &&
			       (isalnum((unsigned char)start[-1]) || start[-1] == '_'))
				start--;
			if (strncmp(p + 6 + kind, "\" }", 3) != 0 &&
			    strncmp(p + 6 + kind, "\", required", 11) != 0)
				continue;
			*p = '\0';
			assert_field(text, start);
			*p = ' ';
			seen++;
		}
	}
	assert_true(seen > 50);
}

static void test_valid_lua(void **state)
{
	static const struct schema_field none[] = { { 0 } };
	static const struct recipe_kind kinds[] = { { 0 } };
	_cleanup_free_ char *text = embedded_text("recipes/lib/kiln.d.lua");
	char *folder = test_folder();
	_cleanup_free_ char *path = path_join(folder, "kiln.lua");
	const struct recipe_request request = {
		.project = folder, .recipe = "kiln.lua", .kinds = kinds, .common = none
	};
	json_t *document = NULL;
	struct err err = ERR_INIT;

	(void)state;
	must(fs_write_file(AT_FDCWD, path, text, strlen(text), 0666, false, &err), &err);
	assert_int_equal(recipe_load(&request, &document, &err), -1);
	/* It compiles, and then does what a recipe may not. */
	assert_contains(err.cause, "global names are read-only");
	test_folder_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stage_kinds),
		cmocka_unit_test(test_prelude),
		cmocka_unit_test(test_library_fields),
		cmocka_unit_test(test_valid_lua),
	};

	return cmocka_run_group_tests_name("annotations", tests, NULL, NULL);
}
