/*
 * What a recipe was evaluated to: the same comes back for every recipe of the tests and of the project's own,
 * and after any change of what a recipe saw it is evaluated again.
 */
#include "cli/session.h"

#include <dirent.h>
#include <sys/stat.h>

#include "base/path.h"
#include "fakes/stages.h"
#include "stages/stage.h"
#include "unit/support.h"

struct reading {
	struct arena *arena;
	struct recipe_memo memo;
	json_t *document;
	struct recipe recipe;
};

static bool read_recipe(const char *store, const char *project, const char *recipe,
                        const json_t *set, struct reading *ret)
{
	struct recipe_request request = {
		.project = project, .recipe = recipe, .set = set, .cpu_ms = 30000
	};
	struct err err = ERR_INIT;
	int rc;

	*ret = (struct reading){ .arena = arena_new() };
	recipe_memo_init(&ret->memo, store);
	rc = session_read_recipe(ret->arena, &request, &ret->memo, &ret->document, &ret->recipe,
	                         &err);
	if (rc == 0)
		recipe_memo_keep(&ret->memo, store, &request, &ret->recipe);
	return rc == 0;
}

static void reading_deinit(struct reading *reading)
{
	json_decref(reading->document);
	recipe_memo_deinit(&reading->memo);
	arena_free(reading->arena);
}

/* ---- the same comes back -------------------------------------------------------------------- */

/* What a repository says is more than files: such a recipe is never kept. */
static bool asks_git(const json_t *document)
{
	json_t *fact;
	size_t i;

	json_array_foreach (json_object_get(document, "facts"), i, fact)
		if (str_eq(json_str_or(fact, "kind", ""), "git.version"))
			return true;
	return false;
}

/* Returns how many stages it has. */
static size_t check_same(const char *store, const char *project, const char *recipe)
{
	struct reading first, second;
	size_t n = 0;

	if (read_recipe(store, project, recipe, NULL, &first)) {
		assert_false(first.memo.found);
		assert_true(read_recipe(store, project, recipe, NULL, &second));
		assert_int_equal(second.memo.found, !asks_git(first.document));
		assert_true(json_equal(first.document, second.document));
		assert_int_equal(first.recipe.n_stages, second.recipe.n_stages);
		n = first.recipe.n_stages;
		for (size_t i = 0; i < n; i++)
			assert_same_stage(&first.recipe.stages[i], &second.recipe.stages[i]);
		reading_deinit(&second);
	}
	reading_deinit(&first);
	return n;
}

static void every_recipe_comes_back(void **state)
{
	static const char *const own[] = { "gawk.lua", "lua.lua", "hello/kiln.lua" };
	char *store = test_folder();
	struct dirent *entry;
	DIR *cases = opendir("tests/cases");
	size_t n = 0, all = 0;

	(void)state;
	assert_non_null(cases);
	while ((entry = readdir(cases)))
		if (str_starts(entry->d_name, "recipe-")) {
			_cleanup_free_ char *project = path_join("tests/cases", entry->d_name);

			all++;
			n += check_same(store, project, "kiln.lua") > 0;
		}
	closedir(cases);
	assert_true(all > 100 && n > 10);
	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		assert_true(check_same(store, "recipes", own[i]) > 0);
	test_folder_remove(store);
}

/* ---- what makes it be evaluated again ------------------------------------------------------- */

static const char recipe_text[] =
	"local m = require 'part'\n"
	"kiln.recipe { name = m, version = kiln.read('version'), license = 'MIT', date = 1 }\n"
	"kiln.option('speed', 'slow')\n"
	"print('evaluated', kiln.stat('there'))\n"
	"print('twice')\n"
	"local t = 'x86_64-unknown-linux-gnu'\n"
	"assert(kiln.toolchain('llvm-19', t))\n"
	"kiln.target { triple = t, toolchain = 'llvm-19', image = 'trixie', variants = { 'plain' },\n"
	"  ship = 'plain', reference = 'plain' }\n"
	"stage.run { address = t .. '/plain/a', argv = { 'true' }, outputs = { 'o' } }\n";

struct project {
	char *store, *dir;
};

static void put(const struct project *p, const char *name, const char *text)
{
	_cleanup_free_ char *path = path_join(p->dir, name), *dir = path_dir(path);
	struct err err = ERR_INIT;

	must(fs_make_dirs(AT_FDCWD, dir, 0755, &err), &err);
	must(fs_write_file(AT_FDCWD, path, text, strlen(text), 0644, false, &err), &err);
}

static void drop(const struct project *p, const char *name)
{
	_cleanup_free_ char *path = path_join(p->dir, name);
	struct err err = ERR_INIT;

	must(fs_remove_tree(AT_FDCWD, path, &err), &err);
}

/* Whether it was taken as it was kept. */
static bool is_known_with(const struct project *p, const json_t *set)
{
	struct reading r;
	bool known;

	if (!read_recipe(p->store, p->dir, "kiln.lua", set, &r))
		fail_msg("the recipe is refused");
	known = r.memo.found;
	reading_deinit(&r);
	return known;
}

static bool is_known(const struct project *p)
{
	return is_known_with(p, NULL);
}

static int setup(void **state)
{
	static struct project p;

	p = (struct project){ test_folder(), test_folder() };
	put(&p, "kiln.lua", recipe_text);
	put(&p, "part.lua", "return 'demo'\n");
	put(&p, "version", "1.0");
	assert_false(is_known(&p));
	assert_true(is_known(&p));
	*state = &p;
	return 0;
}

static int teardown(void **state)
{
	struct project *p = *state;

	test_folder_remove(p->store);
	test_folder_remove(p->dir);
	return 0;
}

static void changed_files_are_read_again(void **state)
{
	static const char *const files[] = { "kiln.lua", "part.lua", "version" };
	const struct project *p = *state;

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		_cleanup_free_ char *path = path_join(p->dir, files[i]);
		_cleanup_buf_ struct buf before = BUF_INIT(1 << 16);
		_cleanup_free_ char *more = NULL;
		struct err err = ERR_INIT;

		must(fs_read(AT_FDCWD, path, &before, &err), &err);
		more = i == 2 ? str_dup("1.1") : str_fmt("%s-- more\n", buf_text(&before));
		put(p, files[i], more);
		assert_false(is_known(p));
		assert_true(is_known(p));
		put(p, files[i], buf_text(&before));
		assert_false(is_known(p));
		/* The same content is the same, whatever the stamps say. */
		put(p, files[i], buf_text(&before));
		assert_true(is_known(p));
	}
}

static void what_it_looked_for_counts(void **state)
{
	const struct project *p = *state;

	put(p, "there", "");
	assert_false(is_known(p));
	assert_true(is_known(p));
	drop(p, "there");
	put(p, "there/x", "");
	assert_false(is_known(p));
	assert_true(is_known(p));
	put(p, "elsewhere", "");
	assert_true(is_known(p));
}

/* A toolchain of the project's own goes before Kiln's. */
static void a_toolchain_of_its_own_counts(void **state)
{
	const struct project *p = *state;
	_cleanup_buf_ struct buf text = BUF_INIT(1 << 16);
	struct err err = ERR_INIT;

	must(fs_read(AT_FDCWD, "toolchains/llvm-19.yaml", &text, &err), &err);
	put(p, ".kiln/toolchains/llvm-19.yaml", buf_text(&text));
	assert_false(is_known(p));
	assert_true(is_known(p));
	buf_add_str(&text, "# more\n");
	put(p, ".kiln/toolchains/llvm-19.yaml", buf_text(&text));
	assert_false(is_known(p));
}

/* The programs of a package are the files of a folder. */
static void what_a_manifest_stands_for_counts(void **state)
{
	const struct project *p = *state;

	put(p, "Cargo.toml", "[package]\nname = \"tool\"\nversion = \"1.0.0\"\n");
	put(p, "src/bin/one.rs", "");
	put(p, "kiln.lua",
	    "local m = cargo.manifest()\n"
	    "kiln.recipe { name = m.name, version = m.version, license = 'MIT', date = 1 }\n");
	assert_false(is_known(p));
	assert_true(is_known(p));
	put(p, "src/bin/two.rs", "");
	assert_false(is_known(p));
	assert_true(is_known(p));
	put(p, "src/bin/one.rs", "fn main() {}\n");
	assert_true(is_known(p));
	drop(p, "src/bin/one.rs");
	assert_false(is_known(p));
	put(p, "Cargo.toml", "[package]\nname = \"tool\"\nversion = \"1.0.1\"\n");
	assert_false(is_known(p));
	put(p, "src/main.rs", "");
	assert_false(is_known(p));
	assert_true(is_known(p));
}

/* Of a script the first line and whether it may be executed are seen. */
static void first_lines_of_scripts_count(void **state)
{
	const struct project *p = *state;
	_cleanup_free_ char *path = path_join(p->dir, "run.sh");

	put(p, "run.sh", "#!/bin/sh\necho\n");
	assert_int_equal(chmod(path, 0755), 0);
	put(p, "kiln.lua",
	    "kiln.recipe { name = 'x', version = '1', license = 'MIT', date = 1 }\n"
	    "print(kiln.script('run.sh'))\n");
	assert_false(is_known(p));
	assert_true(is_known(p));
	put(p, "run.sh", "#!/usr/bin/python3\nprint\n");
	assert_int_equal(chmod(path, 0755), 0);
	assert_false(is_known(p));
	assert_int_equal(chmod(path, 0644), 0);
	assert_false(is_known(p));
	assert_true(is_known(p));
	put(p, "run.sh", "#!/usr/bin/python3\nprint()\n"); /* another line is nobody's */
	assert_true(is_known(p));
}

/* Nobody knows when what could not be read can be. */
static void what_cannot_be_seen_is_looked_at_again(void **state)
{
	static const char trying[] =
		"kiln.recipe { name = 'x', version = '1', license = 'MIT', date = 1 }\n"
		"print(pcall(kiln.read, 'data'))\n";
	const struct project *p = *state;
	_cleanup_free_ char *path = path_join(p->dir, "data");
	struct err err = ERR_INIT;

	must(fs_write_file(AT_FDCWD, path, "a\0b", 3, 0644, false, &err), &err);
	put(p, "kiln.lua", trying);
	assert_false(is_known(p));
	assert_false(is_known(p));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/passwd", path), 0); /* leads out */
	assert_false(is_known(p));
	assert_false(is_known(p));
	assert_int_equal(unlink(path), 0);
	assert_false(is_known(p));
	assert_true(is_known(p));
}

static void what_lies_behind_a_link_that_leads_out_is_not_taken(void **state)
{
	const struct project *p = *state;
	_cleanup_free_ char *path = path_join(p->dir, "version");
	char *out = test_folder();
	_cleanup_free_ char *moved = path_join(out, "version");
	struct reading r;

	assert_int_equal(rename(path, moved), 0);
	assert_int_equal(symlink(moved, path), 0);
	assert_false(read_recipe(p->store, p->dir, "kiln.lua", NULL, &r));
	reading_deinit(&r);
	test_folder_remove(out);
}

static void an_own_toolchain_behind_a_link_counts(void **state)
{
	const struct project *p = *state;
	_cleanup_free_ char *link = path_join(p->dir, ".kiln");
	_cleanup_buf_ struct buf text = BUF_INIT(1 << 16);
	const struct project out = { NULL, test_folder() };
	struct err err = ERR_INIT;

	assert_int_equal(symlink(out.dir, link), 0);
	assert_false(is_known(p));
	must(fs_read(AT_FDCWD, "toolchains/llvm-19.yaml", &text, &err), &err);
	put(&out, "toolchains/llvm-19.yaml", buf_text(&text));
	assert_false(is_known(p));
	test_folder_remove(out.dir);
}

static void options_count(void **state)
{
	const struct project *p = *state;
	_cleanup_json_ json_t *set = json_pack("{s:s}", "speed", "fast");

	assert_false(is_known_with(p, set));
	assert_true(is_known_with(p, set));
	assert_true(is_known(p));
}

struct listening {
	struct log log;
	struct buf heard;
};

static void hear(struct log *log, enum log_level level, const char *text)
{
	struct listening *l = (struct listening *)log;

	assert_int_equal(level, LOG_NOTE);
	buf_fmt(&l->heard, "%s\n", text);
}

static void what_it_printed_is_said_again(void **state)
{
	const struct project *p = *state;
	struct listening l = { .log.say = hear, .heard = BUF_INIT(1000) };
	struct recipe_request request = { .project = p->dir, .recipe = "kiln.lua", .log = &l.log };
	struct recipe_memo memo;
	json_t *document = NULL;

	recipe_memo_init(&memo, p->store);
	assert_true(recipe_memo_find(&memo, &request, &document));
	assert_string_equal(buf_text(&l.heard), "");
	recipe_memo_say(&memo, &request);
	assert_string_equal(buf_text(&l.heard), "kiln.lua: evaluated\tnil\nkiln.lua: twice\n");
	json_decref(document);
	recipe_memo_deinit(&memo);
	buf_deinit(&l.heard);
}

/* Half of a file, and a folder that others may write to, are as good as none. */
static void strange_ones_are_not_believed(void **state)
{
	const struct project *p = *state;
	_cleanup_free_ char *dir = path_join(p->store, KEPT_FOLDER);
	struct fs_names names = { 0 };
	struct err err = ERR_INIT;
	struct stat st;

	must(fs_list(AT_FDCWD, dir, &names, &err), &err);
	assert_int_equal(names.names.n, 1);
	for (int part = 1; part < 8; part++) {
		_cleanup_free_ char *path = path_join(dir, names.names.v[0]);

		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(truncate(path, st.st_size * part / 8), 0);
		assert_false(is_known(p));
		assert_true(is_known(p));
	}
	fs_names_deinit(&names);
	assert_int_equal(chmod(p->store, 0777), 0);
	assert_false(is_known(p));
	assert_false(is_known(p));
	assert_int_equal(chmod(p->store, 0700), 0);
	assert_true(is_known(p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_recipe_comes_back),
		cmocka_unit_test_setup_teardown(changed_files_are_read_again, setup, teardown),
		cmocka_unit_test_setup_teardown(what_it_looked_for_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(a_toolchain_of_its_own_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(what_a_manifest_stands_for_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(first_lines_of_scripts_count, setup, teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_seen_is_looked_at_again, setup,
		                                teardown),
		cmocka_unit_test_setup_teardown(what_lies_behind_a_link_that_leads_out_is_not_taken,
		                                setup, teardown),
		cmocka_unit_test_setup_teardown(an_own_toolchain_behind_a_link_counts, setup,
		                                teardown),
		cmocka_unit_test_setup_teardown(options_count, setup, teardown),
		cmocka_unit_test_setup_teardown(what_it_printed_is_said_again, setup, teardown),
		cmocka_unit_test_setup_teardown(strange_ones_are_not_believed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
