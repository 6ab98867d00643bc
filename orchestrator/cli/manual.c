/*
 * The manual and the reference: the command table, the annotations and the schemas, with the little
 * prose around them. What a page says of a command is what the command's help says.
 */
#include "cli/manual.h"

#include <fcntl.h>

#include "base/path.h"
#include "base/str.h"
#include "cli/args.h"
#include "cli/help.h"
#include "host/fs.h"
#include "model/embedded.h"
#include "reference/recipe.h"

enum { PAGE_MOST = 4 << 20 };

struct pair {
	const char *term, *text;
};

static const struct pair variables[] = {
	{ "CI",
	  "is there to mean that no person looks on: no colour, no board, and no release by a "
	  "development key" },
	{ "KILN_DEBIAN_KEYRING",
	  "the keyring that Debian's indexes are checked with, in place of the "
	  "machine's" },
	{ "KILN_DEBIAN_MIRROR",
	  "the Debian mirror for images and sources, in place of the one that "
	  "apt uses here" },
	{ "KILN_DEBIAN_SNAPSHOT", "an archive of snapshots, asked for what has left the mirror" },
	{ "KILN_KEY_PASSPHRASE", "opens an encrypted private key" },
	{ "KILN_STORE", "the store, where `--store` is not given" },
	{ "NO_COLOR", "no colour, where `--color` is not given" },
	{ "XDG_CACHE_HOME", "the store is `kiln` in there; default: ~/.cache" },
	{ "XDG_STATE_HOME", "the development key is in `kiln` in there; default: ~/.local/state" },
	{ 0 },
};

static const struct pair files[] = {
	{ "kiln.lua", "the recipe: see `kiln-recipe(5)`" },
	{ "kiln.lock", "what is pinned: see `kiln.lock(5)`" },
	{ "kiln.profiles/", "the pinned profiles" },
	{ ".kiln/toolchains/NAME.yaml, .kiln/containers/NAME.yaml",
	  "toolchains and images of the project's own" },
	{ "dist/NAME-VERSION/", "a release" },
	{ 0 },
};

static const struct pair lock_members[] = {
	{ "library", "the digest of Kiln's own library of pipelines, toolchains and images" },
	{ "images.NAME.ARCH", "every Debian package by version and SHA-256, and the digest of the "
	                      "unpacked tree" },
	{ "toolchains.NAME", "the digest of the toolchain's YAML file" },
	{ "sources.ID@RECIPE", "what a source resolved to: digest, date, version" },
	{ "recipes.NAME.TRIPLE.profiles.SLOT",
	  "a profile by SHA-256 and size, and what it fits to: source, compiler, flags" },
	{ "recipes.NAME.TRIPLE.verdict",
	  "which variant ships, and the digests of its outputs on the "
	  "held-out runs" },
	{ 0 },
};

static void add_pairs(const struct paper *paper, const struct pair *list, struct buf *out)
{
	for (; list->term; list++)
		paper->item(out, list->term, list->text);
}

/* Paragraphs as the command table has them; lines that start with a space are an example. */
static void add_paragraphs(const struct paper *paper, const char *text, struct buf *out)
{
	_cleanup_buf_ struct buf part = BUF_INIT(1 << 16);
	struct str rest = str_of(text), line;
	bool example = false;

	while (str_cut(&rest, '\n', &line)) {
		bool is_example = line.n && line.p[0] == ' ';

		if (part.n && (line.n == 0 || is_example != example)) {
			(example ? paper->code : paper->text)(out, buf_text(&part));
			buf_clear(&part);
		}
		example = is_example;
		if (line.n)
			buf_fmt(&part, "%.*s\n", (int)line.n, line.p);
	}
	if (part.n)
		(example ? paper->code : paper->text)(out, buf_text(&part));
}

static void add_options(const struct paper *paper, const struct command_option *options,
                        struct buf *out)
{
	for (size_t i = 0; options && options[i].name; i++) {
		_cleanup_free_ char *term = help_option_name(&options[i]);
		_cleanup_free_ char *text = str_fmt("%s%s", options[i].doc,
		                                    options[i].many ? " (may be repeated)" : "");

		paper->item(out, term, text);
	}
}

static void add_usage(const struct paper *paper, const struct command *command, struct buf *out)
{
	_cleanup_free_ char *usage = str_fmt("kiln %s [OPTION]...%s%s\n", command->name,
	                                     command->operands[0] ? " " : "", command->operands);

	paper->code(out, usage);
}

static void add_statuses(const struct paper *paper, struct buf *out)
{
	for (const struct help_status *s = help_statuses; s->text; s++) {
		_cleanup_free_ char *term = str_fmt("%d", s->status);

		paper->item(out, term, s->text);
	}
}

/* "kiln-image-build". Caller frees. */
static char *page_name(const struct command *command)
{
	char *name = str_fmt("kiln-%s", command->name);

	for (char *p = name; *p; p++)
		if (*p == ' ')
			*p = '-';
	return name;
}

/* ---- writing ------------------------------------------------------------------------------ */

/* Writes DIR/FOLDER/NAME; `folder` may be empty. */
static int write_page(const char *dir, const char *folder, const char *name, const struct buf *page,
                      struct err *err)
{
	_cleanup_free_ char *in = folder[0] ? path_join(dir, folder) : str_dup(dir);
	_cleanup_free_ char *path = path_join(in, name);

	if (fs_make_dirs(AT_FDCWD, in, 0777, err) < 0 ||
	    fs_write_file(AT_FDCWD, path, buf_text(page), page->n, 0666, false, err) < 0)
		return err_while(err, "writing the page %s", path);
	return 0;
}

/* The program is built with the files it documents. */
static const struct embedded_file *embedded(const char *path)
{
	const struct embedded_file *file = embedded_find(path);

	bug_on(!file);
	return file;
}

/* ---- manual pages ------------------------------------------------------------------------- */

static int write_overview(const char *dir, struct err *err)
{
	static const struct paper_title title = {
		"kiln", 1, "turn source into a signed, reproducible, profile-optimised release"
	};
	const struct paper *paper = &paper_man;
	_cleanup_buf_ struct buf out = BUF_INIT(PAGE_MOST);

	paper->title(&out, &title);
	paper->heading(&out, 1, "Synopsis");
	paper->code(&out, "kiln COMMAND [OPTION]... [OPERAND]...\n");
	paper->heading(&out, 1, "Description");
	paper->text(&out, help_sentence);
	paper->text(&out,
	            "A recipe in Lua says what to build, for which targets, how to train it and "
	            "how to test it. Kiln plans the stages, runs each in a sandbox without "
	            "network, and keeps every result by content, so that nothing is done "
	            "twice. Results go to standard output, all else to standard error.");
	paper->text(&out,
	            "A recipe is named by its file or its folder; without one, `kiln.lua` here "
	            "or in a parent. A stage is `TARGET/VARIANT/STAGE`; globs and the shortest "
	            "unique form will do.");
	paper->heading(&out, 1, "Commands");
	for (size_t i = 0; commands[i]; i++) {
		_cleanup_free_ char *page = page_name(commands[i]);
		_cleanup_free_ char *term = str_fmt("%s(1)", page);

		if (!commands[i]->hidden)
			paper->item(&out, term, commands[i]->summary);
	}
	paper->heading(&out, 1, "Options");
	paper->text(&out, "Every command takes these, anywhere before `--`.");
	add_options(paper, common_option_table, &out);
	paper->heading(&out, 1, "Exit status");
	add_statuses(paper, &out);
	paper->heading(&out, 1, "Environment");
	add_pairs(paper, variables, &out);
	paper->heading(&out, 1, "Files");
	add_pairs(paper, files, &out);
	paper->heading(&out, 1, "See also");
	paper->text(&out, "`kiln-recipe(5)`, `kiln.lock(5)`");
	return write_page(dir, "man1", "kiln.1", &out, err);
}

static int write_command(const char *dir, const struct command *command, struct err *err)
{
	const struct paper *paper = &paper_man;
	_cleanup_free_ char *name = page_name(command);
	_cleanup_free_ char *file = str_fmt("%s.1", name);
	const struct paper_title title = { name, 1, command->summary };
	_cleanup_buf_ struct buf out = BUF_INIT(PAGE_MOST);

	paper->title(&out, &title);
	paper->heading(&out, 1, "Synopsis");
	add_usage(paper, command, &out);
	paper->heading(&out, 1, "Description");
	add_paragraphs(paper, command->help, &out);
	if (command->options && command->options[0].name) {
		paper->heading(&out, 1, "Options");
		add_options(paper, command->options, &out);
	}
	paper->heading(&out, 1, "Common options");
	add_options(paper, common_option_table, &out);
	paper->heading(&out, 1, "Exit status");
	add_statuses(paper, &out);
	paper->heading(&out, 1, "See also");
	paper->text(&out, "`kiln(1)`, `kiln-recipe(5)`, `kiln.lock(5)`");
	return write_page(dir, "man1", file, &out, err);
}

static int write_recipe(const char *dir, struct err *err)
{
	static const struct paper_title title = { "kiln-recipe", 5, "what a recipe can say" };
	const struct paper *paper = &paper_man;
	_cleanup_buf_ struct buf out = BUF_INIT(PAGE_MOST);
	const char *text = (const char *)embedded("recipes/lib/kiln.d.lua")->data;

	paper->title(&out, &title);
	paper->heading(&out, 1, "Description");
	paper->text(&out,
	            "A recipe is a file in Lua 5.4 that ends with `return release { … }`. It "
	            "runs in a sandbox: it sees no clock, no environment and no network. A `?` "
	            "marks what may be left out.");
	reference_recipe(paper, text, &out);
	paper->heading(&out, 1, "See also");
	paper->text(&out, "`kiln(1)`, `kiln-plan(1)`, `kiln.lock(5)`");
	return write_page(dir, "man5", "kiln-recipe.5", &out, err);
}

static int write_lock(const char *dir, struct err *err)
{
	static const struct paper_title title = { "kiln.lock", 5, "what a release is pinned to" };
	const struct paper *paper = &paper_man;
	_cleanup_buf_ struct buf out = BUF_INIT(PAGE_MOST);

	paper->title(&out, &title);
	paper->heading(&out, 1, "Description");
	paper->text(&out,
	            "`kiln.lock` lies at the project's root and is the only file that pins. It "
	            "is JSON with sorted keys, schema `kiln.lock/1`; `kiln lock` and "
	            "`--update-lock` write it, and nobody edits it. Commit it with "
	            "`kiln.profiles/`, where the profiles lie that it names.");
	paper->text(&out,
	            "With the lock a release trains nothing, builds no other variants, and has "
	            "the same bytes from an empty store, in another folder, by another user. "
	            "Pinned content that is not to be had any more is an error and never "
	            "replaced silently.");
	paper->heading(&out, 1, "Members");
	add_pairs(paper, lock_members, &out);
	paper->heading(&out, 1, "See also");
	paper->text(&out, "`kiln-lock(1)`, `kiln-image-import(1)`, `kiln-recipe(5)`");
	return write_page(dir, "man5", "kiln.lock.5", &out, err);
}

int manual_write_pages(const char *dir, struct err *err)
{
	if (write_overview(dir, err) < 0 || write_recipe(dir, err) < 0 || write_lock(dir, err) < 0)
		return -1;
	for (size_t i = 0; commands[i]; i++)
		if (!commands[i]->hidden && write_command(dir, commands[i], err) < 0)
			return -1;
	return 0;
}

/* ---- reference ---------------------------------------------------------------------------- */

static int write_commands(const char *dir, struct err *err)
{
	static const struct paper_title title = { "Commands", 1,
		                                  "What `kiln help` says, on one page" };
	const struct paper *paper = &paper_markdown;
	_cleanup_buf_ struct buf out = BUF_INIT(PAGE_MOST);

	paper->title(&out, &title);
	paper->text(&out, "Made by `make docs` from the command table.");
	for (size_t i = 0; commands[i]; i++) {
		_cleanup_free_ char *head = str_fmt("kiln %s", commands[i]->name);
		_cleanup_free_ char *summary = str_fmt("%s.", commands[i]->summary);

		if (commands[i]->hidden)
			continue;
		summary[0] = (char)(summary[0] >= 'a' && summary[0] <= 'z' ? summary[0] - 32 :
		                                                             summary[0]);
		paper->heading(&out, 1, head);
		paper->text(&out, summary);
		add_usage(paper, commands[i], &out);
		add_paragraphs(paper, commands[i]->help, &out);
		add_options(paper, commands[i]->options, &out);
	}
	paper->heading(&out, 1, "Common options");
	paper->text(&out, "Every command takes these, anywhere before `--`.");
	add_options(paper, common_option_table, &out);
	paper->heading(&out, 1, "Exit status");
	add_statuses(paper, &out);
	paper->heading(&out, 1, "Environment");
	add_pairs(paper, variables, &out);
	return write_page(dir, "", "commands.md", &out, err);
}

static int write_recipe_reference(const char *dir, struct err *err)
{
	static const struct paper_title title = { "Recipes", 5, "What a `kiln.lua` can say" };
	_cleanup_buf_ struct buf out = BUF_INIT(PAGE_MOST);
	const char *text = (const char *)embedded("recipes/lib/kiln.d.lua")->data;

	paper_markdown.title(&out, &title);
	paper_markdown.text(&out,
	                    "Made by `make docs` from `recipes/lib/kiln.d.lua`. A `?` marks what "
	                    "may be left out.");
	reference_recipe(&paper_markdown, text, &out);
	return write_page(dir, "", "recipe.md", &out, err);
}

static int write_schema(const char *dir, const char *schema, const struct paper_title *title,
                        const char *name, struct err *err)
{
	_cleanup_free_ char *from =
		str_fmt("Made by `make docs` from `%s`. A `?` marks what may be "
	                "left out; `NAME` stands for any name, `[]` for each "
	                "item of a list.",
	                schema);
	_cleanup_buf_ struct buf out = BUF_INIT(PAGE_MOST);
	const struct embedded_file *file = embedded(schema);

	paper_markdown.title(&out, title);
	paper_markdown.text(&out, from);
	if (reference_schema(&paper_markdown, (const char *)file->data, file->size, schema, &out,
	                     err) < 0)
		return -1;
	return write_page(dir, "", name, &out, err);
}

int manual_write_reference(const char *dir, struct err *err)
{
	static const struct paper_title toolchain = {
		"Toolchains", 5, "The members of `.kiln/toolchains/NAME.yaml`"
	};
	static const struct paper_title container = {
		"Containers", 5, "The members of `.kiln/containers/NAME.yaml`"
	};
	static const struct paper_title events = {
		"Events", 5, "The members of each line that `--events` and `--progress json` write"
	};

	if (write_commands(dir, err) < 0 || write_recipe_reference(dir, err) < 0 ||
	    write_schema(dir, "toolchains/schema.json", &toolchain, "toolchain.md", err) < 0)
		return -1;
	if (write_schema(dir, "containers/schema.json", &container, "container.md", err) < 0)
		return -1;
	return write_schema(dir, "orchestrator/report/events.json", &events, "events.md", err);
}
