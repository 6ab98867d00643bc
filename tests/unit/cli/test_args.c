/* The command line, over a table of commands made for it. */
#include "unit/support.h"

#include "base/arena.h"
#include "cli/args.h"

static const struct command_option build_options[] = {
	{ "--variant", "NAME", "a variant", false },
	{ "--until", "STAGE", "a stage", true },
	{ "--keep-going", NULL, "go on", false },
	{ "-o", "FILE", "output", false },
	{ 0 },
};

static const struct command cmd_build = { .name = "build",
	                                  .summary = "builds",
	                                  .operands = "RECIPE",
	                                  .help = "",
	                                  .options = build_options,
	                                  .min_operands = 1,
	                                  .max_operands = 2 };
static const struct command cmd_version = { .name = "version", .operands = "" };
static const struct command cmd_image = { .name = "image build",
	                                  .operands = "[NAME]",
	                                  .max_operands = 1 };
static const struct command cmd_export = { .name = "image export", .operands = "" };
static const struct command cmd_log = { .name = "log", .operands = "", .max_operands = 9 };
static const struct command cmd_log_all = { .name = "log all", .operands = "" };

/* In place of the program's own. */
const struct command *const commands[] = { &cmd_build, &cmd_version, &cmd_image, &cmd_export,
	                                   &cmd_log,   &cmd_log_all, NULL };

struct parsed {
	struct arena *arena;
	const struct command *command;
	struct common_options common;
	struct command_args args;
	struct err err;
	int rc;
};

/* Splits a line at its spaces; "''" is an empty word. */
static void parse(struct parsed *p, const char *line)
{
	char *words = str_dup(line), *save = NULL;
	char *argv[32] = { (char *)"kiln" };
	int argc = 1;

	*p = (struct parsed){ .arena = arena_new(), .err = ERR_INIT };
	for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save))
		argv[argc++] = arena_str(p->arena, strcmp(w, "''") == 0 ? "" : w);
	free(words);
	p->rc = args_parse(p->arena, argc, argv, &p->command, &p->common, &p->args, &p->err);
}

static void done(struct parsed *p)
{
	arena_free(p->arena);
}

static void commands_are_found(void **state)
{
	static const struct {
		const char *line;
		const struct command *command;
		size_t n_operands;
	} cases[] = {
		{ "", NULL, 0 },
		{ "--help", NULL, 0 },
		{ "--version", NULL, 0 },
		{ "version", &cmd_version, 0 },
		{ "build r.lua", &cmd_build, 1 },
		{ "-C dir build r.lua", &cmd_build, 1 },
		{ "--target t build r.lua", &cmd_build, 1 },
		{ "--target=t build r.lua", &cmd_build, 1 },
		{ "-j 4 build r.lua", &cmd_build, 1 },
		{ "-j4 build r.lua", &cmd_build, 1 },
		{ "--json build r.lua", &cmd_build, 1 },
		{ "image build", &cmd_image, 0 },
		{ "image build trixie", &cmd_image, 1 },
		{ "-C image image --json build trixie", &cmd_image, 1 },
		{ "image export", &cmd_export, 0 },
		{ "log", &cmd_log, 0 },
		{ "log stage", &cmd_log, 1 },
		{ "log all", &cmd_log_all, 0 },
		{ "build build", &cmd_build, 1 },
		{ "build -", &cmd_build, 1 },
		{ "build --help", &cmd_build, 0 },
		{ "build a b", &cmd_build, 2 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct parsed p;

		parse(&p, cases[i].line);
		if (p.rc != 0)
			fail_msg("%s: %s", cases[i].line, p.err.cause);
		assert_ptr_equal(p.command, cases[i].command);
		assert_int_equal(p.args.n_operands, cases[i].n_operands);
		assert_null(p.args.operands[p.args.n_operands]);
		done(&p);
	}
}

static void refused(void **state)
{
	static const struct {
		const char *line, *says, *hint;
	} cases[] = {
		{ "biuld x", "there is no command \"biuld\"; did you mean \"build\"?",
		  "`kiln --help` lists" },
		{ "xyzzy-plugh", "there is no command \"xyzzy-plugh\"", "`kiln --help`" },
		{ "image biuld",
		  "there is no command \"image biuld\"; did you mean \"image build\"?", "" },
		{ "image", "kiln image needs one of: build, export", "" },
		{ "image --json", "kiln image needs one of: build, export", "" },
		{ "''", "there is no command \"\"", "" },
		{ "build x --varaint lto",
		  "build has no option \"--varaint\"; did you mean \"--variant\"?",
		  "`kiln build --help`" },
		{ "build x --varaint=lto", "build has no option \"--varaint\"", "" },
		{ "build x --jsno", "did you mean \"--json\"?", "" },
		{ "--jsno", "kiln has no option \"--jsno\"; did you mean \"--json\"?",
		  "`kiln --help` lists the options" },
		{ "build x -q", "build has no option \"-q\"", "" },
		{ "build x --=y", "has no option \"--\"", "" },
		{ "build x --variant", "--variant needs a value: --variant NAME", "" },
		{ "build x -C", "-C needs a value: -C DIR", "" },
		{ "build x --keep-going=yes", "--keep-going takes no value", "" },
		{ "build x --json=1", "--json takes no value", "" },
		{ "build x --variant a --variant b", "--variant is given twice", "" },
		{ "build x --variant=a --variant=a", "--variant is given twice", "" },
		{ "build", "build needs RECIPE", "usage: kiln build RECIPE (`kiln build --help`)" },
		{ "build a b c", "build takes no operand \"c\"", "usage:" },
		{ "version now", "version takes no operand \"now\"", "usage:" },
		{ "image build a b", "image build takes no operand \"b\"",
		  "usage: kiln image build" },
		{ "version -- --help", "version takes no operand \"--help\"", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct parsed p;

		parse(&p, cases[i].line);
		if (p.rc == 0)
			fail_msg("taken: %s", cases[i].line);
		assert_int_equal(p.err.code, ERR_USAGE);
		assert_contains(p.err.cause, cases[i].says);
		assert_contains(p.err.hint, cases[i].hint);
		done(&p);
	}
}

static void options_mean_the_same_everywhere(void **state)
{
	static const char *const lines[] = {
		"-C d --store s -j 3 --target a --target b --json build --variant lto "
		"--keep-going --until x --until y r.lua",
		"build r.lua --until=x --variant=lto --until=y --keep-going --json -j3 "
		"--target=a --target=b --store=s -C d",
		"build --until x -j 3 --until y --target a r.lua --store s --variant lto "
		"--target b --keep-going -C d --json",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct parsed p;
		const char *const *until;

		parse(&p, lines[i]);
		must(p.rc, &p.err);
		assert_string_equal(p.common.directory, "d");
		assert_string_equal(p.common.store_dir, "s");
		assert_string_equal(p.common.jobs, "3");
		assert_true(p.common.json);
		assert_false(p.common.help || p.common.version);
		assert_null(p.common.color);
		assert_null(p.common.progress);
		assert_string_equal(p.common.targets[0], "a");
		assert_string_equal(p.common.targets[1], "b");
		assert_null(p.common.targets[2]);
		assert_string_equal(args_value(&p.args, "--variant"), "lto");
		assert_true(args_has(&p.args, "--keep-going"));
		assert_false(args_has(&p.args, "-o"));
		assert_null(args_value(&p.args, "-o"));
		until = args_values(&p.args, "--until");
		assert_string_equal(until[0], "x");
		assert_string_equal(until[1], "y");
		assert_null(until[2]);
		assert_int_equal(p.args.n_operands, 1);
		assert_string_equal(p.args.operands[0], "r.lua");
		done(&p);
	}
}

static void values_are_taken_as_they_are(void **state)
{
	struct parsed p;

	(void)state;
	parse(&p, "build x --variant=a=b -o -- --until=");
	must(p.rc, &p.err);
	assert_string_equal(args_value(&p.args, "--variant"), "a=b");
	assert_string_equal(args_value(&p.args, "-o"), "--");
	assert_string_equal(args_value(&p.args, "--until"), "");
	done(&p);
	parse(&p, "build x -j 007 --variant --json --progress ''");
	must(p.rc, &p.err);
	assert_string_equal(p.common.jobs, "007");
	assert_string_equal(args_value(&p.args, "--variant"), "--json");
	assert_false(p.common.json);
	assert_string_equal(p.common.progress, "");
	done(&p);
	/* Of common options the last one counts, so that aliases can be overridden. */
	parse(&p, "-j 1 build -j2 x -j 3 --keep-going --keep-going");
	must(p.rc, &p.err);
	assert_string_equal(p.common.jobs, "3");
	done(&p);
}

static void behind_two_dashes_all_are_operands(void **state)
{
	struct parsed p;

	(void)state;
	parse(&p, "log --json -- --help -j --");
	must(p.rc, &p.err);
	assert_ptr_equal(p.command, &cmd_log);
	assert_true(p.common.json);
	assert_false(p.common.help);
	assert_int_equal(p.args.n_operands, 3);
	assert_string_equal(p.args.operands[0], "--help");
	assert_string_equal(p.args.operands[1], "-j");
	assert_string_equal(p.args.operands[2], "--");
	done(&p);
	/* "all" behind the dashes is an operand, not the second word of a command. */
	parse(&p, "log -- all");
	must(p.rc, &p.err);
	assert_ptr_equal(p.command, &cmd_log);
	assert_int_equal(p.args.n_operands, 1);
	done(&p);
	parse(&p, "-- build x");
	must(p.rc, &p.err);
	assert_null(p.command);
	done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_are_found),
		cmocka_unit_test(refused),
		cmocka_unit_test(options_mean_the_same_everywhere),
		cmocka_unit_test(values_are_taken_as_they_are),
		cmocka_unit_test(behind_two_dashes_all_are_operands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
