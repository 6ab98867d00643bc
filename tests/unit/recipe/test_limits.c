/* What a recipe cannot do to the program that reads it, and how it is found. */
#include "unit/support.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "base/path.h"
#include "host/failpoint.h"
#include "recipe/recipe.h"
#include "recipe/state.h"

static const struct schema_field no_fields[] = { { 0 } };
static const struct recipe_kind kinds[] = { { "run", no_fields }, { 0 } };

static const char header[] =
	"kiln.recipe { name = 'x', version = '1', license = 'MIT', date = 0 }\n";

struct spoken {
	struct log log;
	char text[4096];
	size_t n, lines;
};

static void hear(struct log *log, enum log_level level, const char *text)
{
	struct spoken *spoken = (struct spoken *)log;

	(void)level;
	spoken->n += strlen(text);
	if (spoken->n + spoken->lines + 2 > sizeof(spoken->text))
		return;
	strcat(spoken->text, text);
	strcat(spoken->text, "|");
	spoken->lines++;
}

struct fixture {
	char *folder;
	struct spoken spoken;
	struct recipe_request request;
};

static int begin(void **state)
{
	struct fixture *f = alloc(sizeof(*f));

	f->folder = test_folder();
	f->spoken.log.say = hear;
	f->request = (struct recipe_request){
		.project = f->folder,
		.recipe = "kiln.lua",
		.kinds = kinds,
		.common = no_fields,
		.log = &f->spoken.log,
		.cpu_ms = 700,
	};
	*state = f;
	return 0;
}

static int end(void **state)
{
	struct fixture *f = *state;

	test_folder_remove(f->folder);
	free(f);
	return 0;
}

static void put(const struct fixture *f, const char *path, const char *text)
{
	_cleanup_free_ char *full = path_join(f->folder, path), *dir = path_dir(full);
	struct err err = ERR_INIT;

	must(fs_make_dirs(AT_FDCWD, dir, 0777, &err), &err);
	must(fs_write_file(AT_FDCWD, full, text, strlen(text), 0666, false, &err), &err);
}

static void assert_error(struct fixture *f, const char *text, const char *part)
{
	json_t *document = NULL;
	struct err err = ERR_INIT;

	put(f, "kiln.lua", text);
	assert_int_equal(recipe_load(&f->request, &document, &err), -1);
	assert_null(document);
	assert_int_equal(err.code, ERR_INPUT);
	assert_contains(err.cause, part);
}

static void assert_loads(struct fixture *f, const char *text)
{
	_cleanup_json_ json_t *document = NULL;
	struct err err = ERR_INIT;

	put(f, "kiln.lua", text);
	must(recipe_load(&f->request, &document, &err), &err);
	assert_string_equal(json_str_or(document, "schema", ""), "kiln.recipe/1");
}

/* With a fail point that the process which evaluates the recipe comes to. */
static void assert_fails_at(struct fixture *f, const char *failpoint, const char *part)
{
	json_t *document = NULL;
	struct err err = ERR_INIT;

	put(f, "kiln.lua", header);
	setenv("KILN_FAILPOINT", failpoint, 1);
	failpoint_arm();
	assert_int_equal(recipe_load(&f->request, &document, &err), -1);
	unsetenv("KILN_FAILPOINT");
	failpoint_arm();
	assert_int_equal(err.code, ERR_IO);
	assert_contains(err.cause, part);
}

/* What is no fault of the recipe is not said to be one. */
static void test_the_machine_fails(void **state)
{
	assert_fails_at(*state, "file-write:1", "could not pass on what it found");
	assert_fails_at(*state, "file-write:1:kill", "evaluates the recipe was killed");
	assert_fails_at(*state, "recipe-read:1", "cannot read what the recipe says");
	assert_loads(*state, header);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void test_budgets_hold(void **state)
{
	struct fixture *f = *state;
	double start = seconds();

	f->request.instructions = 2000000;
	assert_error(f, "while true do end", "kiln.lua:1: the recipe ran for more than 2 million");
	assert_error(f, "while true do pcall(function() while true do end end) end", "2 million");
	assert_error(
		f,
		"local t = setmetatable({}, { __index = function(t, k) return t[k .. 'x'] end })\n"
		"while true do pcall(function() return t.x end) end",
		"kiln.lua:");
	f->request.memory = 4 << 20;
	assert_error(f, "local t = {} for i = 1, 1e9 do t[i] = i end", "more than 4 MiB");
	assert_error(f, "return ('x'):rep(1 << 30)", "more than 4 MiB");
	f->request.instructions = 0;
	assert_error(f, "return (('a'):rep(40000)):find('.-.-.-.-b')",
	             "kiln.lua:1: the recipe used more");
	/* Lua's own stack is what grows. */
	f->request.instructions = 50000000;
	f->request.memory = 3 << 20;
	assert_error(f, "\nlocal function deep(n) return 1 + deep(n + 1) end\nreturn deep(1)",
	             "kiln.lua:2");
	assert_true(seconds() - start < 20);
}

/* What is declared lies outside Lua's heap, and is bounded all the same. */
static void test_declared_text_is_bounded(void **state)
{
	struct fixture *f = *state;

	f->request.cpu_ms = 10000;
	assert_error(f,
	             "local text = ('x'):rep(1 << 20)\n"
	             "for i = 1, 200 do\n"
	             "  kiln.leaf('a' .. i, { kind = 'x', one = text, two = text })\n"
	             "end\n",
	             "kiln.lua:3: source a32: two: the recipe declares more than 64 MiB of text");
	assert_error(f,
	             "local text = ('x'):rep(1 << 20)\n"
	             "for i = 1, 200 do kiln.leaf('a' .. i, { kind = 'x', [text .. i] = 1 }) end",
	             "more than 64 MiB of text");
	/* A control character is six bytes of JSON. */
	assert_error(f,
	             "kiln.recipe { name = 'x', version = '1', license = 'MIT', date = 0 }\n"
	             "kiln.leaf('a', { kind = 'x', text = ('\\1'):rep(12 << 20) })",
	             "the recipe's document is larger than 64 MiB");
}

struct counted {
	size_t n;
	char last[64];
};

static int count_stage(void *data, const struct recipe_stage *stage, struct err *err)
{
	struct counted *counted = data;

	(void)err;
	counted->n++;
	snprintf(counted->last, sizeof(counted->last), "%s %s %s %.*s", stage->kind, stage->address,
	         stage->where, (int)stage->options.n, stage->options.p);
	return 0;
}

#define TARGET                                                                                     \
	"kiln.target { triple = 't', toolchain = 'x', image = 'i', variants = { 'v' }, "           \
	"ship = 'v', reference = 'v' }\n"

/* Stages pass one by one: their values are not held, and bounded all the same. */
static void test_many_stages(void **state)
{
	struct fixture *f = *state;
	struct counted counted = { 0 };
	_cleanup_free_ char *text = str_fmt(
		"%s" TARGET "for i = 1, 100000 do stage.run { address = 't/v/' .. i } end", header);
	const struct schema_field fields[] = {
		{ "list", SCHEMA_STRINGS, false, "texts", NULL, NULL },
		{ 0 },
	};
	const struct recipe_kind with_list[] = { { "run", fields }, { 0 } };

	f->request.cpu_ms = 10000;
	f->request.stage = count_stage;
	f->request.stage_data = &counted;
	assert_loads(f, text);
	assert_int_equal(counted.n, 100000);
	assert_string_equal(counted.last, "run t/v/100000 kiln.lua:3 {}");
	f->request.kinds = with_list;
	assert_error(f,
	             "local list = {}\n"
	             "for i = 1, 90000 do list[i] = 'x' end\n"
	             "for i = 1, 200 do stage.run { address = 't/v/' .. i, list = list } end\n",
	             "kiln.lua:3: stage.run: the recipe's stages hold too many values");
}

static void test_small_budgets_are_enough(void **state)
{
	struct fixture *f = *state;

	f->request.memory = 4 << 20;
	f->request.instructions = 200000;
	assert_loads(f, header);
}

static void test_what_is_not_there(void **state)
{
	static const char *const names[] = { "load",           "loadfile",  "dofile", "loadstring",
		                             "collectgarbage", "io",        "os",     "debug",
		                             "package",        "coroutine", "utf8",   "_G",
		                             "xpcall",         "warn",      NULL };
	struct fixture *f = *state;

	for (size_t i = 0; names[i]; i++) {
		_cleanup_free_ char *text = str_fmt("return %s", names[i]);

		assert_error(f, text, "unknown name");
	}
	assert_error(f, "return math.random()", "unknown name \"math.random\"");
	assert_error(f, "return string.dump(print)", "unknown name \"string.dump\"");
	assert_error(f, "return string.format('%p', {})", "addresses");
	assert_error(f, "string.format = nil", "read-only");
	assert_error(f, "getmetatable('').__index = nil", "kiln.lua:1");
	assert_error(f, "setmetatable(string, {})", "protected");
	assert_error(f, "setmetatable({}, { __gc = print })", "__gc");
	assert_error(f, "local t = { __gc = 1 } setmetatable({}, t)", "__gc");
	assert_error(f, "return next({ [{}] = 1 })", "no order");
	assert_error(f, "for k in pairs { [print] = 1 } do end", "no order");
}

static void test_printing(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *text = str_fmt("%sprint('one', 2, {}, nil)\nprint('\\xff')\n", header);

	assert_loads(f, text);
	assert_string_equal(f->spoken.text, "kiln.lua: one\t2\ttable\tnil|kiln.lua: ?|");
	f->spoken.text[0] = '\0';
	f->spoken.n = f->spoken.lines = 0;
	assert_error(f, "print('before') error('after')", "after");
	assert_string_equal(f->spoken.text, "kiln.lua: before|");
}

static void test_printing_is_bounded(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *text =
		str_fmt("%sfor _ = 1, 1000 do print(('x'):rep(1000)) end\n", header);

	assert_loads(f, text);
	assert_in_range(f->spoken.n, 64 << 10, 70 << 10);
}

/* A parent that ignores or blocks signals, or reaps its children by itself, changes nothing. */
static void test_odd_parents(void **state)
{
	struct fixture *f = *state;
	sigset_t all, before;

	signal(SIGCHLD, SIG_IGN);
	assert_loads(f, header);
	f->request.cpu_ms = 300;
	assert_error(f, "return (('a'):rep(40000)):find('.-.-.-.-b')",
	             "kiln.lua:1: the recipe used more");
	signal(SIGCHLD, SIG_DFL);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	assert_loads(f, header);
	assert_error(f, "return (('a'):rep(40000)):find('.-.-.-.-b')",
	             "kiln.lua:1: the recipe used more");
	sigprocmask(SIG_SETMASK, &before, NULL);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* In one process and closed: nothing is lost, whatever the recipe raised where. */
static void test_nothing_leaks(void **state)
{
	static const char *const texts[] = {
		"x = 1",
		"error { 1 }",
		"return nil + 1",
		"kiln.leaf('a', { kind = 'x', b = { {}, print } })",
		"kiln.leaf('a', { kind = 'x' }) kiln.leaf('a', { kind = 'x' })",
		"require 'kiln.fod'",
		"return toolchian",
		"kiln.toolchain('llvm-19', 'x86_64-unknown-linux-gnu') error 'x'",
		"stage.run { address = 'a/b/c' } stage.run { address = 'a/b/c' }",
		"release {}",
		"kiln.fail { text = 'x', path = { 'a' } }",
		"local x <close> = setmetatable({}, { __close = error })",
		"while true do end",
		"local t = {} for i = 1, 1e9 do t[i] = {} end",
		"return 'unfinished",
		NULL,
	};
	struct fixture *f = *state;

	f->request.instructions = 100000;
	f->request.memory = 3 << 20;
	for (size_t i = 0; texts[i]; i++) {
		struct recipe_state s;
		struct err err = ERR_INIT;

		put(f, "kiln.lua", texts[i]);
		must(state_open(&f->request, &s, &err), &err);
		assert_int_equal(state_run(&s, &err), -1);
		assert_true(err.cause[0] != '\0');
		state_close(&s);
		assert_int_equal(s.memory, 0);
	}
}

static void test_files_that_are_none(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *fifo = path_join(f->folder, "pipe.lua");

	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_error(f, "return require 'pipe'", "not a regular file");
	f->request.recipe = "gone.lua";
	assert_error(f, "", "gone.lua: there is no such recipe");
}

/* What lies outside the project is not the recipe's to know, not even whether it is there. */
static void test_links_that_leave(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *out = path_join(f->folder, "out"),
			    *up = path_join(f->folder, "up.lua");
	_cleanup_free_ char *in = path_join(f->folder, "inside.lua");
	_cleanup_free_ char *pipe = path_join(f->folder, "pipe"), *text = NULL;

	assert_int_equal(symlink("/etc", out), 0);
	assert_int_equal(symlink("../x.lua", up), 0);
	assert_int_equal(symlink("lib/a.lua", in), 0);
	assert_int_equal(mkfifo(pipe, 0600), 0);
	put(f, "lib/a.lua", "return 1");
	assert_error(f, "\nreturn kiln.stat 'out/passwd'", "kiln.lua:2: out/passwd leads out");
	assert_error(f, "return kiln.stat 'out'", "kiln.lua:1: out leads out");
	assert_error(f, "\nreturn require 'up'", "kiln.lua:2: require: up.lua leads out");
	text = str_fmt("%sassert(require 'inside' == 1 and kiln.stat 'inside.lua' == 'file')\n"
	               "assert(kiln.stat '.' == 'folder' and kiln.stat 'pipe' == nil)\n",
	               header);
	assert_loads(f, text);
}

/* What a recipe sees of an order is the same on every run, keys with a NUL among them. */
static void test_order_is_regular(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *text =
		str_fmt("%slocal t, keys = {}, {}\n"
	                "for i = 9, 0, -1 do t['a\\0' .. i] = i end\n"
	                "t.a = 10 t['a\\1'] = 11\n"
	                "for k, v in pairs(t) do keys[#keys + 1] = v end\n"
	                "assert(table.concat(keys, ' ') == '10 0 1 2 3 4 5 6 7 8 9 11')\n"
	                "assert(next(t, 'a\\0008') == 'a\\0009' and next(t, 'a') == 'a\\0000')\n",
	                header);

	assert_loads(f, text);
}

static void test_sort(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *text = str_fmt(
		"%slocal t = {}\n"
		"for i = 1, 300 do t[i] = { i * 7919 %% 10, i } end\n"
		"local asked = 0\n"
		"table.sort(t, function(a, b) asked = asked + 1 return a[1] < b[1] end)\n"
		"for i = 2, 300 do\n"
		"  local a, b = t[i - 1], t[i]\n"
		"  assert(a[1] < b[1] or (a[1] == b[1] and a[2] < b[2]))\n"
		"end\n"
		"assert(asked < 300 * 9)\n"
		"local words = { 'b', 'a', 'c' } table.sort(words)\n"
		"assert(table.concat(words) == 'abc')\n"
		"table.sort({}) table.sort({ 1 })\n"
		/* An order that is none ends all the same, and loses nothing. */
		"local n, sum = {}, 0 for i = 1, 500 do n[i] = i end\n"
		"table.sort(n, function() return true end)\n"
		"for i = 1, 500 do sum = sum + n[i] end\n"
		"assert(sum == 125250)\n"
		"local shrinking = { 3, 2, 1 }\n"
		"table.sort(shrinking, function(a, b) shrinking[3] = nil return a < b end)\n"
		"assert(#shrinking == 3)\n",
		header);

	assert_loads(f, text);
	assert_error(f, "table.sort({ 1, 'x' })", "kiln.lua:1: attempt to compare");
	assert_error(f, "table.sort({ 1, 2 }, 3)", "function expected");
	assert_error(f, "table.sort({ 1, 2 }, function() error 'stop' end)", "stop");
}

static void test_find(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *file = path_join(f->folder, "recipes/a.lua");
	_cleanup_free_ char *folder = path_join(f->folder, "recipes");
	_cleanup_free_ char *gone = path_join(f->folder, "recipes/b.lua");
	_cleanup_free_ char *real = NULL;
	char *project = NULL, *recipe = NULL;
	struct err err = ERR_INIT;

	must(fs_real_path(f->folder, &real, &err), &err);
	put(f, "recipes/a.lua", "");
	must(recipe_find(file, &project, &recipe, &err), &err);
	assert_string_equal(recipe, "a.lua");
	free(project);
	free(recipe);
	put(f, "kiln.lock", "{}");
	must(recipe_find(file, &project, &recipe, &err), &err);
	assert_string_equal(recipe, "recipes/a.lua");
	assert_string_equal(project, real);
	free(project);
	free(recipe);
	assert_int_equal(recipe_find(folder, &project, &recipe, &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	assert_contains(err.hint, "holds no kiln.lua");
	err_clear(&err);
	assert_int_equal(recipe_find(gone, &project, &recipe, &err), -1);
	assert_contains(err.cause, "there is no recipe");
	put(f, "recipes/kiln.lua", "");
	err_clear(&err);
	must(recipe_find(folder, &project, &recipe, &err), &err);
	assert_string_equal(recipe, "recipes/kiln.lua");
	free(project);
	free(recipe);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_budgets_hold, begin, end),
		cmocka_unit_test_setup_teardown(test_declared_text_is_bounded, begin, end),
		cmocka_unit_test_setup_teardown(test_many_stages, begin, end),
		cmocka_unit_test_setup_teardown(test_small_budgets_are_enough, begin, end),
		cmocka_unit_test_setup_teardown(test_what_is_not_there, begin, end),
		cmocka_unit_test_setup_teardown(test_printing, begin, end),
		cmocka_unit_test_setup_teardown(test_printing_is_bounded, begin, end),
		cmocka_unit_test_setup_teardown(test_odd_parents, begin, end),
		cmocka_unit_test_setup_teardown(test_nothing_leaks, begin, end),
		cmocka_unit_test_setup_teardown(test_files_that_are_none, begin, end),
		cmocka_unit_test_setup_teardown(test_links_that_leave, begin, end),
		cmocka_unit_test_setup_teardown(test_the_machine_fails, begin, end),
		cmocka_unit_test_setup_teardown(test_order_is_regular, begin, end),
		cmocka_unit_test_setup_teardown(test_sort, begin, end),
		cmocka_unit_test_setup_teardown(test_find, begin, end),
	};

	return cmocka_run_group_tests_name("recipe limits", tests, NULL, NULL);
}
