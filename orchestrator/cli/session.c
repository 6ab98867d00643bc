/* Opening and closing a session; see prepare.c for the facts and run.c for running a plan. */
#include "cli/session.h"

#include <sys/stat.h>

#include "base/path.h"
#include "cli/keep.h"
#include "cli/runtime.h"
#include "cli/snapshots.h"
#include "host/fs.h"
#include "model/lock.h"
#include "model/recipe_stages.h"
#include "plan/plan.h"
#include "stages/stage.h"
#include "store/folder.h"
#include "store/where.h"

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* No stage address reads like this: whoever types it means a file or a folder. */
static bool is_path(const char *operand)
{
	return operand[0] == '/' || str_starts(operand, "./") || str_starts(operand, "../") ||
	       str_ends(operand, "/") || str_ends(operand, ".lua");
}

bool session_is_recipe(const char *operand)
{
	return is_path(operand) || is_folder(operand);
}

const char *session_operand(const struct command_args *args, const char ***ret_stages,
                            struct arena *arena)
{
	const char *const *until = args_values(args, "--until");
	const char **stages, *recipe = NULL;
	size_t n = 0;

	while (until[n])
		n++;
	stages = arena_array(arena, n + args->n_operands + 1, sizeof(*stages));
	for (size_t i = 0; i < n; i++)
		stages[i] = until[i];

	for (size_t i = 0; i < args->n_operands; i++) {
		const char *operand = args->operands[i];

		if (!recipe && session_is_recipe(operand))
			recipe = operand;
		else
			stages[n++] = operand;
	}
	*ret_stages = stages;
	return recipe;
}

/* Lowered as they come: the other processor evaluates the recipe meanwhile. */
static int take_stage(void *data, const struct recipe_stage *stage, struct err *err)
{
	struct recipe_stages *stages = data;
	struct stage *added;

	if (recipe_stages_add(stages, stage->kind, stage->address, stage->where, &added, err) < 0)
		return -1;
	stage_take_options(added, stage->options, stages->arena);
	return 0;
}

static void fill_kinds(struct arena *arena, struct recipe_request *request)
{
	struct recipe_kind *kinds;
	size_t n = 0;

	while (stage_kinds[n])
		n++;
	kinds = arena_array(arena, n + 1, sizeof(*kinds));
	for (size_t i = 0; i < n; i++)
		kinds[i] = (struct recipe_kind){ stage_kinds[i]->name, stage_kinds[i]->fields };
	request->kinds = kinds;
	request->common = stage_common_fields;
}

static int evaluate(struct arena *arena, struct recipe_request *request, json_t **ret_document,
                    struct recipe *ret, struct err *err)
{
	struct recipe_stages stages;
	int rc;

	fill_kinds(arena, request);
	recipe_stages_init(&stages, arena);
	request->stage = take_stage;
	request->stage_data = &stages;
	rc = recipe_load(request, ret_document, err);
	if (rc == 0)
		rc = recipe_read(arena, *ret_document, ret, err);
	if (rc == 0)
		recipe_stages_give(&stages, ret);
	request->stage = NULL;
	request->stage_data = NULL;
	recipe_stages_deinit(&stages);
	return rc;
}

/* Returns false where it is to be evaluated. */
static bool remember(struct arena *arena, const struct recipe_request *request,
                     struct recipe_memo *memo, json_t **ret_document, struct recipe *ret)
{
	struct err strange = ERR_INIT;

	if (!recipe_memo_find(memo, request, ret_document))
		return false;
	if (recipe_read(arena, *ret_document, ret, &strange) == 0 &&
	    recipe_memo_take_stages(memo, arena, ret)) {
		recipe_memo_say(memo, request);
		return true;
	}
	json_cleanup(ret_document);
	memo->found = false;
	return false;
}

int session_read_recipe(struct arena *arena, struct recipe_request *request,
                        struct recipe_memo *memo, json_t **ret_document, struct recipe *ret,
                        struct err *err)
{
	if (remember(arena, request, memo, ret_document, ret))
		return 0;
	request->printed = &memo->printed;
	return evaluate(arena, request, ret_document, ret, err);
}

static struct recipe_request recipe_request_of(struct session *s)
{
	return (struct recipe_request){
		.project = s->project,
		.recipe = s->recipe_path,
		.set = s->set,
		.committed = s->committed,
		.snapshot = s->snapshot,
		.log = &s->cli->log,
	};
}

static int load_recipe(struct session *s, struct err *err)
{
	struct recipe_request request = recipe_request_of(s);
	_cleanup_free_ char *store = NULL;

	if (store_place(s->cli->store_dir, &store, err) < 0)
		return -1;
	if (!s->paranoid)
		recipe_memo_init(&s->memo, store);
	if (session_read_recipe(s->arena, &request, &s->memo, &s->document, &s->recipe, err) < 0)
		return -1;
	return plan_check_pools(&s->recipe, err);
}

/* As soon as there is a store for certain. */
static void keep_recipe(struct session *s)
{
	struct recipe_request request = recipe_request_of(s);

	recipe_memo_keep(&s->memo, store_dir(s->store), &request, &s->recipe);
}

static int read_lock(struct session *s, const char *path, struct err *err)
{
	int rc;

	s->lock_path = path ? str_dup(path) : path_join(s->project, LOCK_FILE);
	rc = lock_read(s->lock_path, &s->lock, &s->lock_digest, err);
	if (rc < 0)
		return -1;
	s->has_lock = rc == 0;
	if (!s->has_lock)
		s->lock = lock_new();
	return 0;
}

static int open_parts(struct session *s, const char *operand, const char *lock, struct err *err)
{
	_cleanup_free_ char *full = NULL;

	if (recipe_find(operand, &s->project, &s->recipe_path, err) < 0)
		return -1;
	full = path_join(s->project, s->recipe_path);
	s->recipe_dir = path_dir(full);
	if (load_recipe(s, err) < 0 || read_lock(s, lock, err) < 0 ||
	    store_open(s->cli->store_dir, &s->store, err) < 0)
		return -1;
	keep_recipe(s);
	snapshots_begin(s);
	if (s->paranoid)
		store_set_paranoid(s->store);
	return keep_lock(s, err) < 0 ? -1 : store_sweep(s->store, err);
}

/* Whether a switch that only some of the commands have is given. */
static bool is_given(const struct command_args *args, const char *name)
{
	for (size_t i = 0; args->options[i].name; i++)
		if (str_eq(args->options[i].name, name))
			return args_has(args, name);
	return false;
}

/* What is wrong in itself is said before anything is read. */
static int check_options(const struct command_args *args, struct err *err)
{
	if (is_given(args, "--keep-going") && is_given(args, "--fail-fast"))
		return err_set(err, ERR_USAGE, "--keep-going and --fail-fast exclude each other");
	if (runtime_check_name(args_value(args, "--runtime"), err) < 0)
		return -1;
	return is_given(args, "--update-lock") ?
	               runtime_check_lock(args_value(args, "--runtime"), err) :
	               0;
}

static int read_set(struct session *s, const struct command_args *args, struct err *err)
{
	s->set = json_object();
	for (const char *const *text = args_values(args, "--set"); *text; text++) {
		const char *equals = strchr(*text, '=');
		_cleanup_free_ char *name = str_dup_n(*text, equals ? (size_t)(equals - *text) : 0);

		if (!name[0] || !str_is_utf8(str_of(*text)))
			return err_set(err, ERR_USAGE, "--set takes NAME=VALUE, not \"%s\"", *text);
		json_object_set_new(s->set, name, json_string(equals + 1));
	}
	return 0;
}

int session_open(struct cli *cli, const struct command_args *args, const char *operand,
                 struct session **ret, struct err *err)
{
	struct session *s;

	if (check_options(args, err) < 0)
		return -1;
	s = alloc(sizeof(*s));
	s->cli = cli;
	s->end = err;
	s->arena = arena_new();
	s->typed = operand;
	s->leaf_facts = json_object();
	s->committed = cli->of_head || is_given(args, "--release");
	s->snapshot = is_given(args, "--snapshot");
	s->offline = args_has(args, "--offline");
	s->paranoid = args_has(args, "--paranoid");
	s->lock_must_be = args_value(args, "--lock") && !is_given(args, "--update-lock");
	s->mirror = args_value(args, "--mirror");
	s->runtime_name = args_value(args, "--runtime");
	s->memo.store_fd = -1;
	s->facts.leaves = map_new();
	s->facts.images = map_new();
	s->facts.pins = map_new();
	s->facts.verdicts = map_new();
	if (read_set(s, args, err) < 0 ||
	    open_parts(s, operand, args_value(args, "--lock"), err) < 0) {
		session_close(s);
		return -1;
	}
	*ret = s;
	return 0;
}

struct session *session_close(struct session *s)
{
	if (!s)
		return NULL;
	if (s->executor)
		s->executor->ops->free(s->executor);
	for (size_t i = 0; i < s->images.n; i++)
		image_deinit(&s->images.v[i].image);
	array_deinit(&s->images);
	if (s->userns_fd)
		fs_close(s->userns_fd);
	ledger_free(s->ledger);
	if (s->store && s->end->code == ERR_MACHINE)
		runtime_forget(s);
	/* What is missing may have been the reason. */
	if (s->store && (s->end->code == ERR_IO || s->end->code == ERR_INPUT))
		store_end_trust(s->store);
	s->store = store_close(s->store);
	map_free(s->facts.leaves);
	map_free(s->facts.images);
	map_free(s->facts.pins);
	map_free(s->facts.verdicts);
	json_decref(s->leaf_facts);
	json_decref(s->set);
	json_decref(s->document);
	json_decref(s->lock);
	free(s->project);
	free(s->recipe_path);
	free(s->recipe_dir);
	free(s->lock_path);
	recipe_memo_deinit(&s->memo);
	arena_free(s->arena);
	free(s);
	return NULL;
}

const char *const *session_words_again(const struct session *s)
{
	const char **words = arena_array(s->arena, 6, sizeof(*words));
	size_t n = 0;

	if (s->cli->directory) {
		words[n++] = "-C";
		words[n++] = s->cli->directory;
	}
	if (s->cli->store_dir) {
		words[n++] = "--store";
		words[n++] = s->cli->store_dir;
	}
	if (s->typed)
		words[n++] = s->typed;
	return words;
}

int session_check_words(struct session *s, const char *variant, const char *const *until,
                        struct err *err)
{
	const struct plan_request request = {
		.recipe = &s->recipe,
		.targets = (const char *const *)s->cli->targets,
		.variant = variant,
		.until = until,
	};

	return plan_check_words(&request, err);
}

int session_plan(struct session *s, enum plan_purpose purpose, const char *variant,
                 const char *const *until, struct plan **ret, struct err *err)
{
	const struct plan_request request = {
		.purpose = purpose,
		.recipe = &s->recipe,
		.facts = &s->facts,
		.targets = (const char *const *)s->cli->targets,
		.variant = variant,
		.until = until,
		.unseen = s->unseen,
	};

	return plan_build(s->arena, &request, ret, err);
}
