/*
 * What a recipe was evaluated to: the same comes back for every recipe of the tests and of the project's own,
 * and after any change of what a recipe saw it is evaluated again.
 */
#include "cli/session.h"

#include <dirent.h>
#include <sys/stat.h>

#include "base/path.h"
#include "model/stage_kept.h"
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

static void same_text(const char *a, const char *b)
{
	assert_int_equal(a == NULL, b == NULL);
	if (a)
		assert_string_equal(a, b);
}

static void same_texts(const char *const *a, size_t n, const char *const *b, size_t m)
{
	assert_int_equal(n, m);
	for (size_t i = 0; i < n; i++)
		same_text(a[i], b[i]);
}

static void same_action(const struct action *a, const struct action *b)
{
	same_texts(a->argv, a->n_argv, b->argv, b->n_argv);
	assert_int_equal(a->n_env, b->n_env);
	for (size_t i = 0; i < a->n_env; i++) {
		same_text(a->env[i].name, b->env[i].name);
		same_text(a->env[i].value, b->env[i].value);
	}
	same_text(a->workdir, b->workdir);
	assert_int_equal(a->n_outputs, b->n_outputs);
	for (size_t i = 0; i < a->n_outputs; i++) {
		same_text(a->outputs[i].path, b->outputs[i].path);
		assert_int_equal(a->outputs[i].non_empty, b->outputs[i].non_empty);
		same_texts(a->outputs[i].exclude, a->outputs[i].n_exclude, b->outputs[i].exclude,
		           b->outputs[i].n_exclude);
	}
	assert_true(!a->input_root && !b->input_root && !a->image && !b->image);
	same_text(a->arch, b->arch);
	same_text(a->builtin, b->builtin);
	assert_int_equal(a->fixed_addresses, b->fixed_addresses);
	assert_int_equal(a->n_exit_codes, b->n_exit_codes);
	for (size_t i = 0; i < a->n_exit_codes; i++)
		assert_int_equal(a->exit_codes[i], b->exit_codes[i]);
	same_texts(a->reject, a->n_reject, b->reject, b->n_reject);
}

static void same_needs(const struct stage_needs *a, const struct stage_needs *b)
{
	assert_int_equal(a->cpus, b->cpus);
	assert_int_equal(a->retries, b->retries);
	assert_int_equal(a->memory, b->memory);
	assert_int_equal(a->disk, b->disk);
	assert_int_equal(a->processes, b->processes);
	assert_int_equal(a->timeout_ms, b->timeout_ms);
	same_text(a->pool, b->pool);
	assert_int_equal(a->exclusive, b->exclusive);
}

static void same_lowered(const struct stage_lowered *a, const struct stage_lowered *b)
{
	same_action(&a->action, &b->action);
	assert_int_equal(a->n_inputs, b->n_inputs);
	for (size_t i = 0; i < a->n_inputs; i++) {
		same_text(a->inputs[i].at, b->inputs[i].at);
		assert_int_equal(a->inputs[i].from.kind, b->inputs[i].from.kind);
		same_text(a->inputs[i].from.id, b->inputs[i].from.id);
		same_text(a->inputs[i].from.path, b->inputs[i].from.path);
	}
	same_text(a->image, b->image);
	same_needs(a->needs, b->needs);
	same_text(a->advice, b->advice);
	assert_int_equal(a->incremental, b->incremental);
	assert_int_equal(a->never_ships, b->never_ships);
	assert_int_equal(a->passes_on, b->passes_on);
}

static void same_stage(const struct stage *a, const struct stage *b)
{
	same_text(a->address, b->address);
	same_text(a->target, b->target);
	same_text(a->variant, b->variant);
	same_text(a->name, b->name);
	same_text(a->kind, b->kind);
	same_text(a->where, b->where);
	same_text(a->text, b->text);
	assert_true(!a->options && !b->options);
	assert_int_equal(a->lowered == NULL, b->lowered == NULL);
	if (a->lowered)
		same_lowered(a->lowered, b->lowered);
}

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
			same_stage(&first.recipe.stages[i], &second.recipe.stages[i]);
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

/* ---- every member --------------------------------------------------------------------------- */

static const char *exclude[] = { "*.o", "x" }, *argv[] = { "a", "", "c" }, *reject[] = { "r" };
static int codes[] = { 1, 7 };

/* A stage of which nothing is as it is where nothing was said. */
static void every_member_comes_back(void **state)
{
	struct action_env env[] = { { "A", "1" }, { "B", "" } };
	struct action_output outputs[] = { { "o", exclude, 2, true }, { "p", NULL, 0, false } };
	struct stage_input inputs[] = {
		{ "a", { REF_STAGE, "t/v/n", "o" } },  { "b", { REF_LEAF, "src", "" } },
		{ "c", { REF_LEAF, "src", "x" } },     { "d", { REF_TEXT, "text\n", "" } },
		{ "e", { REF_SCRIPT, "#!/bin/sh", "" } },
	};
	const struct stage_needs needs = { 3, 2, 1 << 30, 5, 6, 7, "pool", true };
	const struct stage_lowered full = {
		.action = { .argv = argv, .n_argv = 3, .env = env, .n_env = 2, .workdir = "w",
		            .outputs = outputs, .n_outputs = 2, .builtin = "b@1",
		            .fixed_addresses = true, .exit_codes = codes, .n_exit_codes = 2,
		            .reject = reject, .n_reject = 1 },
		.inputs = inputs, .n_inputs = ARRAY_LEN(inputs), .image = "image", .needs = &needs,
		.advice = "do it", .incremental = true, .never_ships = true, .passes_on = true,
	};
	const struct stage_needs nothing = { 0 };
	const struct stage_lowered bare = { .needs = &nothing };
	const struct stage stages[] = {
		{ "t/v/n", "t", "v", "n", "run", "k:1", NULL, "{}", &full },
		{ "t/v/m", "t", "v", "m", "run", "k:1", NULL, NULL, &full },
		{ "t/w/n", "t", "w", "n", "copy", "k:2", NULL, "{\"a\":1}", NULL },
		{ "u/w/n", "u", "w", "n", "copy", "k:2", NULL, NULL, &bare },
		{ "u/w/x", "u", "w", "x", "run", "k:2", NULL, NULL, &full },
	};
	struct buf key = BUF_INIT(10);
	char *store = test_folder();
	int fd = test_open_dir(store);
	struct arena *arena = arena_new();
	struct stages_keeping keeping = { .file = kept_new(fd, "kilntst1", &key) };
	struct kept kept;
	struct stages_taking taking = { .file = &kept, .arena = arena };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(stages); i++)
		stage_keep(&keeping, &stages[i]);
	kept_keep(keeping.file, KEPT_FOLDER "/x");
	kept_free(keeping.file);
	assert_true(kept_open(fd, KEPT_FOLDER "/x", "kilntst1", &key, &kept));
	for (size_t i = 0; i < ARRAY_LEN(stages); i++) {
		struct stage back;

		stage_take(&taking, &back);
		assert_false(kept.bad);
		same_stage(&stages[i], &back);
	}
	assert_int_equal(kept.at, kept.n);
	kept_close(&kept);
	arena_free(arena);
	fs_close(fd);
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
	assert_string_equal(buf_text(&l.heard),
	                    "kiln.lua: evaluated\tnil\nkiln.lua: twice\n");
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
		cmocka_unit_test(every_member_comes_back),
		cmocka_unit_test_setup_teardown(changed_files_are_read_again, setup, teardown),
		cmocka_unit_test_setup_teardown(what_it_looked_for_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(a_toolchain_of_its_own_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(what_a_manifest_stands_for_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(first_lines_of_scripts_count, setup, teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_seen_is_looked_at_again, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(
			what_lies_behind_a_link_that_leads_out_is_not_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(an_own_toolchain_behind_a_link_counts, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(options_count, setup, teardown),
		cmocka_unit_test_setup_teardown(what_it_printed_is_said_again, setup, teardown),
		cmocka_unit_test_setup_teardown(strange_ones_are_not_believed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
