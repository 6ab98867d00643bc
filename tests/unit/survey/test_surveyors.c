/*
 * The contract every surveyor keeps, over the whole table: it knows a project of its kind and no other,
 * finds the program, and what is written of it is a recipe that says so, the same each time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/str.h"
#include "fakes/folder.h"
#include "survey/draft.h"
#include "survey/surveyor.h"

struct project {
	const char *builder;
	const char *file; /* it is known by */
	const char *text;
	const char *sources[3];
	const char *bin; /* as the builder takes it */
};

static const struct project projects[] = {
	{ "cargo",
	  "Cargo.toml",
	  "[package]\nname = \"tool\"\nversion = \"1.2.3\"\n",
	  { "src/main.rs", "Cargo.lock" },
	  "tool" },
	{ "cmake",
	  "CMakeLists.txt",
	  "project(tool VERSION 1.2.3)\nadd_executable(tool main.c)\ninstall(TARGETS tool)\n",
	  { "main.c" },
	  "tool" },
	{ "meson",
	  "meson.build",
	  "project('tool', 'c', version: '1.2.3')\nexecutable('tool', 'main.c', install: true)\n",
	  { "main.c" },
	  "tool" },
	{ "autotools",
	  "configure.ac",
	  "AC_INIT([tool], [1.2.3])\nAM_INIT_AUTOMAKE\nAC_PROG_CC\nAC_OUTPUT([Makefile])\n",
	  { "Makefile.am", "main.c" },
	  "tool" },
	{ "make",
	  "Makefile",
	  "tool: main.o\n\t$(CC) -o $@ $^\ninstall: tool\n\tcp tool $(DESTDIR)/usr/bin\n",
	  { "main.c" },
	  "tool" },
};

static void make_project(const struct project *p, struct folder *folder)
{
	folder_init(folder);
	folder_text(folder, p->file, p->text);
	for (size_t i = 0; i < ARRAY_LEN(p->sources) && p->sources[i]; i++)
		folder_text(folder, p->sources[i],
		            str_eq(p->sources[i], "Makefile.am") ? "bin_PROGRAMS = tool\n" : "\n");
	assert_int_equal(folder_sh(folder, "git init -q . && git add -A && git -c user.name=Me -c "
	                                   "user.email=me@example.org commit -q -m one"),
	                 0);
}

static const struct project *project_of(const char *builder)
{
	for (size_t i = 0; i < ARRAY_LEN(projects); i++)
		if (str_eq(projects[i].builder, builder))
			return &projects[i];
	fail_msg("no project shows what %s does", builder);
	return NULL;
}

static char *draft_of(const char *dir, struct survey *s)
{
	_cleanup_buf_ struct buf text = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;

	if (survey_take(s, dir, NULL, &err) < 0)
		fail_msg("%s", err.cause);
	draft_write(s, "x86_64-unknown-linux-gnu", NULL, &text);
	return str_dup(buf_text(&text));
}

static void test_own(void **state)
{
	(void)state;
	for (size_t i = 0; surveyors[i]; i++) {
		const struct project *p = project_of(surveyors[i]->builder);
		_cleanup_free_ char *says = str_fmt("build = %s.build {", p->builder);
		_cleanup_free_ char *first = NULL, *second = NULL;
		struct survey s, again;
		struct folder folder;

		make_project(p, &folder);
		first = draft_of(folder.path, &s);
		second = draft_of(folder.path, &again);
		assert_string_equal(first, second);
		assert_non_null(strstr(first, says));
		assert_string_equal(s.builder, p->builder);
		assert_int_equal(s.bins.n, 1);
		assert_string_equal(s.bins.v[0], p->bin);
		assert_non_null(strstr(first, "bins = { \"tool\" }"));
		assert_int_equal(s.others.n, 0);
		survey_deinit(&s);
		survey_deinit(&again);
		folder_deinit(&folder);
	}
}

/* Where a file is named that says nothing, the surveyor ends in an error or in a recipe all the same. */
static void test_empty_file(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(projects); i++) {
		struct project empty = projects[i];
		struct err err = ERR_INIT;
		struct folder folder;
		struct survey s;

		empty.text = "\n";
		make_project(&empty, &folder);
		if (survey_take(&s, folder.path, NULL, &err) < 0)
			assert_int_equal(err.code, ERR_INPUT);
		else
			assert_string_equal(s.builder, empty.builder);
		survey_deinit(&s);
		folder_deinit(&folder);
	}
}

/* A file that git does not track is not seen. */
static void test_untracked(void **state)
{
	struct folder folder;

	(void)state;
	make_project(project_of("make"), &folder);
	folder_text(&folder, "CMakeLists.txt", "add_executable(stranger main.c)\n");
	struct survey s;
	_cleanup_free_ char *text = draft_of(folder.path, &s);

	assert_string_equal(s.builder, "make");
	assert_null(strstr(text, "stranger"));
	survey_deinit(&s);
	folder_deinit(&folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own),
		cmocka_unit_test(test_empty_file),
		cmocka_unit_test(test_untracked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
