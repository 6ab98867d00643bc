/* What a failed stage's log gives away, and what is then said to be tried. */
#include "unit/support.h"

#include "base/str.h"
#include "report/advice.h"

struct sample {
	const char *kind, *why, *tail, *advice; /* advice: "" for none */
};

static void check(const struct sample *sample)
{
	struct stage stage = { .kind = sample->kind };
	struct stage_lowered lowered = { 0 };
	struct plan_node node = { .stage = &stage, .lowered = &lowered };
	struct buf text = BUF_INIT(1 << 16);

	advice_add(&text, &node, sample->why, sample->tail);
	if (sample->advice[0])
		assert_contains(buf_text(&text), sample->advice);
	else
		assert_string_equal(buf_text(&text), "");
	/* One line a clue. */
	assert_null(strstr(buf_text(&text), "\n\n"));
	buf_deinit(&text);
}

#define ZLIB_HEADER "the image lacks zlib.h: add = { \"zlib1g-dev\" } in release { } adds it\n"
#define ZLIB "the image lacks z: add = { \"zlib1g-dev\" } in release { } adds it\n"

static void what_the_image_lacks(void **state)
{
	static const struct sample samples[] = {
		{ "build", "exit status 2", "a.c:3:10: fatal error: 'zlib.h' file not found\n",
		  ZLIB_HEADER },
		{ "build", NULL,
		  "a.c:3:10: fatal error: zlib.h: No such file or directory\nmake: *** 1",
		  ZLIB_HEADER },
		{ "build", NULL, "fatal error: 'openssl/ssl.h' file not found", "\"libssl-dev\"" },
		{ "build", NULL, "fatal error: 'mine/own.h' file not found",
		  "mine/own.h is not in the image: if the project itself does not bring it, add the "
		  "Debian package that has it (apt-file search mine/own.h): add = { … } in release { }\n" },
		{ "build", NULL, "ld.lld: error: unable to find library -lz", ZLIB },
		{ "build", NULL, "/usr/bin/ld: cannot find -lz: No such file or directory", ZLIB },
		{ "build", NULL, "cannot find -lodd",
		  "the image lacks odd: add = { \"libodd-dev\" } in release { } adds its Debian package, "
		  "if that is how it is called\n" },
		{ "run", NULL, "No package 'zlib' found", "\"zlib1g-dev\"" },
		{ "run", NULL, "Package 'zlib', required by 'virtual:world', not found",
		  "\"zlib1g-dev\"" },
		{ "run", NULL,
		  "configure: error: Package requirements (jansson >= 2.3) were not met:",
		  "the image lacks jansson: add = { \"libjansson-dev\" }" },
		{ "build", NULL,
		  "meson.build:4:7: ERROR: Dependency \"libcurl\" not found, tried pkgconfig",
		  "libcurl4-openssl-dev" },
		{ "build", NULL,
		  "meson.build:9:0: ERROR: Program 'scdoc' not found or not executable",
		  "the image lacks scdoc: add = { \"scdoc\" }" },
		{ "build", NULL, "  Could NOT find ZLIB (missing: ZLIB_LIBRARY)",
		  "\"zlib1g-dev\"" },
		/* CMake says so of what it can do without, too. */
		{ "build", NULL, "-- Could NOT find Doxygen (missing: DOXYGEN_EXECUTABLE)", "" },
		{ "build", NULL,
		  "  Could not find a package configuration file provided by \"fmt\" with any of",
		  "libfmt-dev" },
		{ "build", NULL,
		  "  The system library `openssl` required by crate `openssl-sys` was not",
		  "libssl-dev" },
		{ "build", NULL, "ModuleNotFoundError: No module named 'jinja2'",
		  "add = { \"python3-jinja2\" } in release { }" },
		{ "build", NULL, "/bin/sh: 1: bison: not found",
		  "the image lacks bison: add = { \"bison\" }" },
		{ "build", NULL, "./gen.sh: line 3: xxd: command not found", "{ \"xxd\" }" },
		{ "build", NULL, "sh: 1: /opt/x/odd-tool: not found", "the image lacks odd-tool" },
		{ "build", NULL, "make[2]: makeinfo: No such file or directory",
		  "{ \"texinfo\" }" },
		{ "build", NULL, "/usr/bin/env: 'python3': No such file or directory",
		  "{ \"python3\" }" },
		{ "build", NULL,
		  "/usr/bin/env: \xe2\x80\x98ruby\xe2\x80\x99: No such file or directory",
		  "{ \"ruby\" }" },
		{ "run", "cannot run cmake in the image: No such file or directory", NULL,
		  "{ \"cmake\" }" },
		/* A script of a training run has a field of its own. */
		{ "workload", NULL, "train.sh: 2: jq: not found",
		  "the image lacks jq: tools = { \"jq\" } in run { } adds its Debian package" },
		{ "build", NULL, "make: gcc: No such file or directory",
		  "the build calls gcc by its name, and so not the compiler of the recipe" },
		/* The first counts, and what every image has is no advice. */
		{ "build", NULL,
		  "fatal error: 'zlib.h' file not found\nfatal error: 'yaml.h' file not found",
		  ZLIB_HEADER },
		{ "build", NULL, "/usr/bin/ld: cannot find -lpthread", "" },
		{ "build", NULL, "/usr/bin/ld: cannot find -lpthread\n/usr/bin/ld: cannot find -lz",
		  ZLIB },
		/* No name, no advice; nor where the words stand in the middle of something else. */
		{ "build", NULL, "fatal error: '' file not found", "" },
		{ "build", NULL, "cannot find -l", "" },
		{ "build", NULL, ": not found", "" },
		{ "build", NULL, "page x: not found, ignored", "" },
		{ "build", NULL, "", "" },
		{ "build", "exit status 1", NULL, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++)
		check(&samples[i]);
}

static void no_network(void **state)
{
	static const struct sample samples[] = {
		{ "build", NULL, "curl: (6) Could not resolve host: example.org", "(add = { … })" },
		{ "workload", NULL, "curl: (7) Failed to connect to localhost port 8080",
		  "serve { }" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++)
		check(&samples[i]);
}

static void no_space(void **state)
{
	static const struct sample samples[] = {
		{ "run", "exit status 1", "cp: error writing '/tmp/a': No space left on device\n",
		  "/tmp and /dev/shm of a stage hold a gigabyte each" },
		{ "run", "exit status 1", "Error: ENOSPC: no space left", "in the work folder" },
		{ "run", "exit status 1", "no space between words", "" },
		{ "run", "exit status 1",
		  "OSError: [Errno 18] Invalid cross-device link: 'src/a'\n",
		  "/tmp of a stage is a file system of its own" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++)
		check(&samples[i]);
}

static void what_was_not_made(void **state)
{
	static const struct sample samples[] = {
		{ "build",
		  "the output src/tool is missing; programs that the stage made: src/bin/tool",
		  "done\n",
		  "bins = { … } names each program by its path where the build leaves it\n" },
		{ "workload", "the output prof is missing", "", "no profile was written" },
		{ "workload", "the output prof cannot be taken: it is empty", NULL,
		  "no profile was written" },
		{ "run", "the output x is missing", NULL, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++)
		check(&samples[i]);
}

/* Kiln's own code says what it means. */
static void builtins_are_not_searched(void **state)
{
	struct stage stage = { .kind = "tar" };
	struct stage_lowered lowered = { .action.builtin = "tar@1", .advice = "this" };
	struct plan_node node = { .stage = &stage, .lowered = &lowered };
	struct buf text = BUF_INIT(4096);

	(void)state;
	advice_add(&text, &node, "x", "cannot find -lz");
	assert_string_equal(buf_text(&text), "    try      this\n");
	buf_deinit(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_image_lacks),
		cmocka_unit_test(no_network),
		cmocka_unit_test(no_space),
		cmocka_unit_test(what_was_not_made),
		cmocka_unit_test(builtins_are_not_searched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
