/*
 * kiln init: a recipe for the project it stands in. What was found is said in a few lines, what a
 * person must look at in notes, and the next command last.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "cli/print.h"
#include "host/fs.h"
#include "image/definition.h"
#include "model/lock.h"
#include "model/toolchain.h"
#include "survey/draft.h"

enum { RECIPE_MOST = 1 << 20, IGNORE_MOST = 1 << 20 };

static const char recipe_name[] = RECIPE_FILE;

/* What a release leaves at the project's root, and is no part of it. */
static const char *const ignored[] = { "/dist/", NULL };

struct init {
	struct cli *cli;
	struct survey survey;
	struct training training;
	bool trains;
	const char *data; /* the folder that --pgo would train on; or NULL */
	const char *triple;
	struct buf recipe;
};

static int choose_triple(struct init *in, struct err *err)
{
	const char *arch = image_machine_arch();

	in->triple = arch && str_eq(arch, "arm64") ? "aarch64-unknown-linux-gnu" :
	                                             "x86_64-unknown-linux-gnu";
	if (arch)
		return 0;
	return err_set(err, ERR_MACHINE, "no toolchain of Kiln's builds for this machine");
}

/* ---- .gitignore --------------------------------------------------------------------------- */

static bool has_line(struct str text, const char *line)
{
	struct str part;

	while (str_cut(&text, '\n', &part)) {
		if (part.n && part.p[part.n - 1] == '\r')
			part.n--;
		if (str_same(part, str_of(line)) || /* "dist/", "/dist", "dist" say the same here */
		    (part.n >= 4 && strstr("/dist/", "dist") && str_same(part, STR("dist/"))) ||
		    str_same(part, STR("/dist")) || str_same(part, STR("dist")))
			return true;
	}
	return false;
}

/* Adds what is missing to the end of .gitignore. */
static int write_ignored(const char *top, bool *ret_wrote, struct err *err)
{
	_cleanup_free_ char *path = path_join(top, ".gitignore");
	_cleanup_buf_ struct buf text = BUF_INIT(IGNORE_MOST);

	*ret_wrote = false;
	if (fs_read(AT_FDCWD, path, &text, err) < 0)
		return -1;
	for (size_t i = 0; ignored[i]; i++) {
		if (has_line(buf_str(&text), ignored[i]))
			continue;
		if (text.n && text.p[text.n - 1] != '\n')
			buf_add_char(&text, '\n');
		buf_fmt(&text, "%s\n", ignored[i]);
		*ret_wrote = true;
	}
	if (!*ret_wrote)
		return 0;
	return fs_write_file(AT_FDCWD, path, buf_text(&text), text.n, 0644, false, err);
}

/* ---- the recipe --------------------------------------------------------------------------- */

static int check_free(const struct init *in, bool force, struct err *err)
{
	_cleanup_free_ char *path = path_join(in->survey.repo.top, recipe_name);

	if (force || !fs_exists(AT_FDCWD, path))
		return 0;
	err_set(err, ERR_USAGE, "%s is there already", path);
	return err_hint(err,
	                "look at what would be written: kiln init --print; write over it: kiln "
	                "init --force");
}

static void tell(const struct init *in, const char *path)
{
	const struct survey *s = &in->survey;
	_cleanup_buf_ struct buf bins = BUF_INIT(16 << 10);

	for (size_t i = 0; i < s->bins.n; i++)
		buf_fmt(&bins, "%s%s", i ? ", " : "", s->bins.v[i]);
	print_note(in->cli, "  build     %s", s->builder);
	print_note(in->cli, "  programs  %s", s->guessed ? "not found" : buf_text(&bins));
	if (s->own_tests)
		print_note(in->cli, "  tests     %s: take the line `test` out of its comment",
		           s->own_tests);
	print_note(in->cli, "  licence   %s%s%s", s->license ? s->license : "not recognised",
	           s->license_from ? ", as in " : "", s->license_from ? s->license_from : "");
	print_note(in->cli, "  version   %s%s%s",
	           s->tags      ? "from the tags " :
	           s->other_tag ? "no tag reads as a version: " :
	                          "no tag yet",
	           s->tags      ? s->tags :
	           s->other_tag ? s->other_tag :
	                          "",
	           !s->tags && s->other_tag ?
	                   " does not begin with numbers and dots, behind letters" :
	                   "");
	for (size_t i = 0; i < s->notes.n; i++)
		print_note(in->cli, "  note      %s", s->notes.v[i]);
	if (!s->license)
		print_note(in->cli,
		           "  note      say under which licence this is released, in the line "
		           "`license`: a release that is no snapshot needs it");
	print_note(in->cli, "  wrote     %s", path);
}

static void tell_next(const struct init *in)
{
	const struct survey *s = &in->survey;

	if (in->trains)
		print_note(
			in->cli, "  training  %s",
			in->training.worth == TRAINING_BENCHMARKS ?
				"from benchmarks: likely near to real use; look at the command lines" :
			in->training.worth == TRAINING_TESTS ?
				"from tests: of little likeness to real use; put in your own runs" :
				"nothing was found to train on: put in your own runs");
	else if (in->data)
		print_note(
			in->cli,
			"  later     kiln init --force --pgo sketches a training workload from %s/",
			in->data);
	print_note(in->cli, "  next      %s%s%skiln build%s", s->first ? s->first : "",
	           s->repo.head ? "" : "git commit -m start; ",
	           s->guessed ? "say in `bins` what the build makes; " : "",
	           in->trains ? "" : " --variant plain");
}

static int write_all(const struct init *in, struct err *err)
{
	const char *top = in->survey.repo.top;
	_cleanup_free_ char *path = path_join(top, recipe_name);
	bool wrote = false;

	if (fs_write_file(AT_FDCWD, path, buf_text(&in->recipe), in->recipe.n, 0644, false, err) <
	            0 ||
	    write_ignored(top, &wrote, err) < 0)
		return -1;
	tell(in, path);
	if (wrote)
		print_note(in->cli, "  wrote     /dist/ into .gitignore");
	tell_next(in);
	return 0;
}

static int run_init(struct init *in, const struct command_args *args, struct err *err)
{
	_cleanup_free_ char *here = NULL;

	if (fs_must(fs_real_path(".", &here, err), ".", err) < 0 || choose_triple(in, err) < 0 ||
	    survey_take(&in->survey, here, args_value(args, "--build"), err) < 0)
		return -1;
	if (!args_has(args, "--print") && check_free(in, args_has(args, "--force"), err) < 0)
		return -1;
	in->trains = args_has(args, "--pgo");
	if (in->trains)
		training_sketch(&in->survey, &in->training);
	else
		in->data = training_folder(&in->survey);
	draft_write(&in->survey, in->triple, in->trains ? &in->training : NULL, &in->recipe);
	if (args_has(args, "--print"))
		return print_text(buf_text(&in->recipe), in->recipe.n, err);
	return write_all(in, err);
}

static int run(struct cli *cli, const struct command_args *args, struct err *err)
{
	struct init in = { .cli = cli, .recipe = BUF_INIT(RECIPE_MOST) };
	int rc = run_init(&in, args, err);

	training_deinit(&in.training);
	survey_deinit(&in.survey);
	buf_deinit(&in.recipe);
	return rc;
}

static const struct command_option options[] = {
	{ "--pgo", NULL, "sketches a training workload from benchmarks or tests", false },
	{ "--build", "BUILDER", "cargo, cmake, meson, autotools or make, where several would do",
	  false },
	{ "--print", NULL, "prints the recipe and writes nothing", false },
	{ "--force", NULL, "writes over a kiln.lua that is there", false },
	{ 0 },
};

const struct command cmd_init = {
	.name = "init",
	.summary = "write a recipe for the project in this folder",
	.operands = "",
	.help = "Looks at what git tracks: the build system, its programs, the licence, the tags. Writes\n"
		"kiln.lua at the repository's root, and what git should ignore into .gitignore. Nothing\n"
		"of the project is run; the recipe is a guess that you can read.\n",
	.options = options,
	.first = true,
	.run = run,
};
