/*
 * kiln complete: what the last word of a command line may become, for the shells' completion.
 * Whoever presses Tab wants no messages: what cannot be found out is left out. Nothing is fetched,
 * built or written; a recipe is read as every command reads it, with less time.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "base/str.h"
#include "cli/complete.h"
#include "cli/print.h"
#include "cli/session.h"
#include "model/definition.h"
#include "recipe/recipe.h"
#include "store/where.h"

enum { RECIPE_MS = 1000, OUTPUT_MOST = 4 << 20 };

struct lookup {
	struct arena *arena;
	struct completion *wanted;
	ARRAY(struct complete_candidate) found;
	ARRAY(const char *) directives;
	bool tried;
	json_t *document; /* NULL: there is no recipe, or it is faulty */
	struct recipe recipe;
	const char *store_dir; /* of the program that completes; or NULL */
	struct recipe_memo memo;
};

static void found(struct lookup *l, const char *text, const char *doc)
{
	array_push(&l->found, ((struct complete_candidate){ text, doc }));
}

/* ---- what the recipe says ----------------------------------------------------------------- */

static json_t *set_of(const struct completion *wanted)
{
	json_t *set = json_object();

	for (size_t i = 0; i < wanted->set.n; i++) {
		const char *text = wanted->set.v[i], *equals = strchr(text, '=');
		_cleanup_free_ char *name = str_dup_n(text, equals ? (size_t)(equals - text) : 0);

		if (name[0] && str_is_utf8(str_of(text)))
			json_object_set_new(set, name, json_string(equals + 1));
	}
	return set;
}

static bool have_recipe(struct lookup *l)
{
	_cleanup_free_ char *project = NULL, *path = NULL, *store = NULL;
	_cleanup_json_ json_t *set = set_of(l->wanted);
	struct err ignored = ERR_INIT;
	struct recipe_request request = { .set = set, .cpu_ms = RECIPE_MS };

	if (l->tried)
		return l->document != NULL;
	l->tried = true;
	if (recipe_find(l->wanted->recipe, &project, &path, &ignored) < 0)
		return false;
	request.project = project;
	request.recipe = path;
	if (store_place(l->store_dir, &store, &ignored) == 0)
		recipe_memo_init(&l->memo, store);
	if (session_read_recipe(l->arena, &request, &l->memo, &l->document, &l->recipe, &ignored) <
	    0)
		json_cleanup(&l->document);
	return l->document != NULL;
}

/* Addresses below what is typed already, cut behind the next slash: a target, a variant, a stage. */
static void find_stages(struct lookup *l)
{
	const char *typed = l->wanted->current, *slash = strrchr(typed, '/');
	size_t n = slash ? (size_t)(slash - typed) + 1 : 0;

	for (size_t i = 0; have_recipe(l) && i < l->recipe.n_stages; i++) {
		const char *address = l->recipe.stages[i].address;
		const char *end;

		if (strncmp(address, typed, n) != 0)
			continue;
		end = strchr(address + n, '/');
		found(l,
		      end ? arena_str_n(l->arena, address, (size_t)(end - address) + 1) : address,
		      "");
	}
}

static void find_targets(struct lookup *l, bool variants)
{
	for (size_t i = 0; have_recipe(l) && i < l->recipe.n_targets; i++) {
		const struct recipe_target *target = &l->recipe.targets[i];

		if (!variants)
			found(l, target->triple, "");
		for (size_t k = 0; variants && k < target->n_variants; k++)
			found(l, target->variants[k], "");
	}
}

static void find_options(struct lookup *l)
{
	json_t *value;
	const char *name;

	if (!have_recipe(l))
		return;
	json_object_foreach (json_object_get(l->document, "options"), name, value)
		found(l, arena_fmt(l->arena, "%s=", name), "");
}

/* ---- what the project and the program have ------------------------------------------------- */

static void find_images(struct lookup *l)
{
	_cleanup_free_ char *here = NULL, *project = NULL;
	struct fs_names names = { 0 };
	struct err ignored = ERR_INIT;

	if (fs_real_path(".", &here, &ignored) == 0)
		project = recipe_project(here);
	if (definition_names(project, "containers", &names, &ignored) == 0)
		for (size_t i = 0; i < names.names.n; i++)
			found(l, arena_str(l->arena, names.names.v[i]), "");
	fs_names_deinit(&names);
}

/* Files are the shell's to find, but where -C is given it would look in the wrong folder. */
static void find_files(struct lookup *l, size_t skip, bool folders, const char *glob)
{
	const char *typed = l->wanted->current + (skip - l->wanted->skip);
	const char *slash = strrchr(typed, '/');
	_cleanup_free_ char *dir = str_dup_n(typed, slash ? (size_t)(slash - typed) + 1 : 0);
	struct fs_names names = { 0 };
	struct err ignored = ERR_INIT;

	if (fs_list(AT_FDCWD, dir[0] ? dir : ".", &names, &ignored) != 0)
		return;
	for (size_t i = 0; i < names.names.n; i++) {
		const char *path = arena_fmt(l->arena, "%.*s%s%s", (int)(skip - l->wanted->skip),
		                             l->wanted->current, dir, names.names.v[i]);
		const char *file = path + (skip - l->wanted->skip);
		struct stat st;

		if (stat(file, &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode))
			found(l, arena_fmt(l->arena, "%s/", path), "");
		else if (!folders && (!glob || str_glob(glob, names.names.v[i])))
			found(l, path, "");
	}
	fs_names_deinit(&names);
}

static void direct(struct lookup *l, const char *what, size_t skip, const char *glob)
{
	if (l->wanted->directory)
		find_files(l, skip, str_eq(what, "folders"), glob);
	else
		array_push(&l->directives, arena_fmt(l->arena, ":%s %zu%s%s", what, skip,
		                                     glob ? " " : "", glob ? glob : ""));
}

static void find_key(struct lookup *l)
{
	if (str_starts(l->wanted->current, "file:")) {
		direct(l, "files", l->wanted->skip + strlen("file:"), "*.pem");
		return;
	}
	found(l, "file:", "a file in PEM");
	found(l, "env:", "a variable that holds the key");
	found(l, "fd:", "an open file");
}

static void find(struct lookup *l, const struct word *word)
{
	switch (word->kind) {
	case WORD_FILE:
		direct(l, "files", l->wanted->skip, word->glob);
		break;
	case WORD_FOLDER:
		direct(l, "folders", l->wanted->skip, NULL);
		break;
	case WORD_RECIPE:
		direct(l, "files", l->wanted->skip, "*.lua");
		break;
	case WORD_STAGE:
		find_stages(l);
		break;
	case WORD_TARGET:
	case WORD_VARIANT:
		find_targets(l, word->kind == WORD_VARIANT);
		break;
	case WORD_IMAGE:
		find_images(l);
		break;
	case WORD_OPTION:
		find_options(l);
		break;
	case WORD_KEY:
		find_key(l);
		break;
	case WORD_FREE:
	case WORD_SET:
	case WORD_COMMAND:
		break;
	}
}

/* ---- handing out -------------------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
	const struct complete_candidate *x = a, *y = b;

	return strcmp(x->text, y->text);
}

/* A name with a line end or a tab in it cannot travel in lines. */
static bool is_line(const char *text)
{
	return text[strcspn(text, "\t\n\r")] == '\0' && str_is_utf8(str_of(text));
}

static void write_all(struct lookup *l, const char *typed, struct buf *out)
{
	array_sort(&l->found, by_text);
	for (size_t i = 0; i < l->found.n; i++) {
		const struct complete_candidate *c = &l->found.v[i];

		if ((i && str_eq(c->text, l->found.v[i - 1].text)) || !is_line(c->text))
			continue;
		buf_fmt(out, "%.*s%s%s%s\n", (int)l->wanted->skip, typed, c->text,
		        c->doc[0] ? "\t" : "", c->doc);
	}
	for (size_t i = 0; i < l->directives.n; i++)
		buf_fmt(out, "%s\n", l->directives.v[i]);
}

static int run(struct cli *cli, const struct command_args *args, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_buf_ struct buf out = BUF_INIT(OUTPUT_MOST);
	struct completion wanted = { 0 };
	struct lookup l = {
		.arena = arena, .wanted = &wanted, .store_dir = cli->store_dir, .memo.store_fd = -1
	};
	int rc;

	complete_scan(arena, args->operands, args->n_operands, &wanted);
	for (size_t i = 0; i < wanted.list.n; i++)
		found(&l, wanted.list.v[i].text, wanted.list.v[i].doc);
	if (!wanted.directory || chdir(wanted.directory) == 0)
		for (size_t i = 0; i < wanted.words.n; i++)
			find(&l, wanted.words.v[i]);
	write_all(&l, args->n_operands ? args->operands[args->n_operands - 1] : "", &out);
	rc = print_text(buf_text(&out), out.n, err);
	json_cleanup(&l.document);
	recipe_memo_deinit(&l.memo);
	array_deinit(&l.found);
	array_deinit(&l.directives);
	completion_deinit(&wanted);
	return rc;
}

const struct command cmd_complete = {
	.name = "complete",
	.summary = "say what the last word of a command line may become",
	.operands = "-- [WORD]...",
	.help = "For the scripts that `kiln completion` prints. Prints a line for each candidate: its\n"
		"text, and behind a tab a word on it. Lines that start with a colon ask for files:\n"
		"`:files SKIP [GLOB]` and `:folders SKIP`, for what stands SKIP bytes behind the start\n"
		"of the word.",
	.hidden = true,
	.max_operands = 4096,
	.run = run,
};
