/* kiln shell: looking around where a stage runs. */
#include <fcntl.h>

#include "base/path.h"
#include "cli/print.h"
#include "cli/runtime.h"
#include "cli/session.h"
#include "cli/why.h"
#include "exec/shell.h"
#include "host/fs.h"

static const struct command_option options[] = {
	{ "--failed", NULL,
	  "in the folder as its last failure left it; STAGE: the last that failed", false },
	SESSION_OPTIONS,
	{ 0 },
};

/* ---- a stage that is to run ------------------------------------------------------------------ */

/* What a stage takes is made first; the stage itself is not run. */
static int make_inputs(struct session *s, const struct plan *plan, size_t at, struct err *err)
{
	const struct plan_node *node = &plan->nodes[at];
	const struct session_run_options run_options = { 0 };
	const char **until = arena_array(s->arena, node->n_deps + 1, sizeof(*until));
	struct engine_result result;
	struct plan *before;

	for (size_t i = 0; i < node->n_deps; i++)
		until[i] = plan->nodes[node->deps[i]].stage->address;
	if (session_plan(s, PLAN_BUILD, NULL, until, &before, err) < 0)
		return -1;
	return session_run(s, before, &run_options, &result, err);
}

/* The node with its action known. */
static int find_node(struct session *s, const struct plan *plan, const struct stage *stage,
                     size_t *ret_at, struct engine_result *looked, struct err *err)
{
	size_t at = 0;

	while (plan->nodes[at].stage != stage)
		at++;
	*ret_at = at;
	if (plan->nodes[at].pinned)
		return err_set(err, ERR_USAGE, "%s does not run: the lock has what it makes",
		               stage->address);
	if (plan->nodes[at].lowered->action.builtin)
		return err_set(err, ERR_USAGE,
		               "%s is a step of Kiln's own (%s): it runs no program",
		               stage->address, plan->nodes[at].lowered->action.builtin);
	if (why_look(s, plan, looked, err) < 0)
		return -1;
	if (looked->nodes[at].state != NODE_WANT)
		return 0;
	if (make_inputs(s, plan, at, err) < 0)
		return -1;
	return why_look(s, plan, looked, err);
}

/* ---- a stage that failed --------------------------------------------------------------------- */

/* When the last failure of a stage began; 0: it did not fail last. */
static int failed_at(struct session *s, const struct stage *stage, struct digest *ret_action,
                     int64_t *ret_us, struct err *err)
{
	struct result result = { 0 };
	int rc = store_get_failure(s->store, s->arena,
	                           engine_kept_under(s->arena, s->recipe.name, stage->address),
	                           ret_action, &result, err);

	*ret_us = rc == 0 ? result.started_us : 0;
	return rc < 0 ? -1 : 0;
}

/* The stage that was named, else the one that failed last of all. */
static int find_failed(struct session *s, const char *typed, const struct stage **ret,
                       struct digest *ret_action, struct err *err)
{
	int64_t latest = 0, at;
	struct digest action;

	*ret = NULL;
	if (typed) {
		if (plan_find_stage(s->recipe.stages, s->recipe.n_stages, typed, ret, err) < 0 ||
		    failed_at(s, *ret, ret_action, &latest, err) < 0)
			return -1;
		if (latest)
			return 0;
		return err_set(err, ERR_USAGE, "%s did not fail when it ran last", (*ret)->address);
	}
	for (size_t i = 0; i < s->recipe.n_stages; i++) {
		if (failed_at(s, &s->recipe.stages[i], &action, &at, err) < 0)
			return -1;
		if (at <= latest)
			continue;
		latest = at;
		*ret = &s->recipe.stages[i];
		*ret_action = action;
	}
	return *ret ? 0 : err_set(err, ERR_USAGE, "no stage of %s failed here", s->recipe.name);
}

static int check_tree(const struct stage *stage, const char *tree, struct err *err)
{
	if (fs_exists(AT_FDCWD, tree))
		return 0;
	err_set(err, ERR_USAGE, "what %s left when it failed is not kept any more", stage->address);
	return err_hint(err, "run it again: kiln build %s; Kiln keeps the last few",
	                stage->address);
}

/* ---- the shell ------------------------------------------------------------------------------- */

static int open_shell(struct session *s, const struct plan *plan, size_t at,
                      const struct engine_node *known, const char *tree, int *ret_code,
                      struct err *err)
{
	const struct plan_node *node = &plan->nodes[at];
	_cleanup_free_ char *images = path_join(store_dir(s->store), "images");
	const struct shell_request request = {
		.stage = {
			.store_dir = store_dir(s->store),
			.images_dir = images,
			.runtime = s->runtime->name,
			.userns_fd = s->userns_fd,
			.address = node->stage->address,
			.action = known->action,
			.action_size = known->action_size,
			.epoch = s->facts.epoch,
			.jobs = s->cli->jobs,
			.paranoid = s->paranoid,
		},
		.tree = tree,
	};

	print_note(s->cli,
	           "  where %s %s\n"
	           "  eval \"$STAGE\" runs what it runs; exit leaves",
	           node->stage->address,
	           tree ? "failed: the folder that it left; what is done in it stays there" :
	                  "runs: its inputs are laid out, nothing that is done here is kept");
	return exec_shell(&request, ret_code, err);
}

/* A plan with the stage in it: what it runs, and in which image. */
static int plan_for(struct session *s, const struct stage *stage, struct plan **ret,
                    struct err *err)
{
	const char *until[] = { stage->address, NULL };

	/* The stage itself is not the engine's, which would look at what it takes. */
	if (session_prepare(s, err) < 0 || session_take_sources(s, err) < 0 ||
	    session_choose_runtime(s, err) < 0)
		return -1;
	return session_plan(s, PLAN_BUILD, NULL, until, ret, err);
}

static int look_at_failed(struct session *s, const char *typed, int *ret_code, struct err *err)
{
	_cleanup_free_ char *tree = NULL;
	struct engine_node known = { 0 };
	struct blob_ref ref;
	const struct stage *stage;
	struct plan *plan;
	size_t at = 0;

	if (find_failed(s, typed, &stage, &known.action, err) < 0)
		return -1;
	tree = exec_shell_failed(store_dir(s->store), &known.action);
	ref.digest = known.action;
	if (check_tree(stage, tree, err) < 0 || plan_for(s, stage, &plan, err) < 0)
		return -1;
	if (!blobs_find(store_blobs(s->store), &ref))
		return blobs_miss(&ref, "the action that failed", err);
	known.action_size = ref.size;
	while (plan->nodes[at].stage != stage)
		at++;
	return open_shell(s, plan, at, &known, tree, ret_code, err);
}

static int look_at_inputs(struct session *s, const char *typed, int *ret_code, struct err *err)
{
	const struct stage *stage;
	struct engine_result looked;
	struct plan *plan;
	size_t at;

	if (!typed)
		return err_set(err, ERR_USAGE, "shell needs [RECIPE] STAGE, or --failed");
	if (plan_find_stage(s->recipe.stages, s->recipe.n_stages, typed, &stage, err) < 0 ||
	    plan_for(s, stage, &plan, err) < 0 ||
	    find_node(s, plan, stage, &at, &looked, err) < 0 ||
	    engine_keep_action(store_blobs(s->store), plan, &s->facts, looked.nodes, at, err) < 0)
		return -1;
	return open_shell(s, plan, at, &looked.nodes[at], NULL, ret_code, err);
}

static int run(struct cli *cli, const struct command_args *args, struct err *err)
{
	_cleanup_session_ struct session *s = NULL;
	const size_t n = args->n_operands;
	const bool failed = args_has(args, "--failed");
	const bool recipe_first =
		n == 2 || (n == 1 && failed && session_is_recipe(args->operands[0]));
	const char *typed = n > (recipe_first ? 1 : 0) ? args->operands[n - 1] : NULL;
	int code = 0;

	if (session_open(cli, args, recipe_first ? args->operands[0] : NULL, &s, err) < 0)
		return -1;
	if ((failed ? look_at_failed(s, typed, &code, err) : look_at_inputs(s, typed, &code, err)) <
	    0)
		return -1;
	if (code == 0)
		return 0;
	return err_set(err, ERR_STAGE, "the shell ended with status %d", code);
}

const struct command cmd_shell = {
	.name = "shell",
	.summary = "look around where a stage runs",
	.operands = "[RECIPE] [STAGE]",
	.help = "Starts a shell in the stage's sandbox: its image, its inputs laid out in /build, its\n"
		"environment, no network. What the stage takes is built first; the stage itself is not\n"
		"run: eval \"$STAGE\" does that. Without a terminal it runs what standard input says.\n"
		"Nothing is kept when it ends. With --failed it stands in the folder that the stage's\n"
		"last failure left, and what is done there stays until the next one; the store keeps\n"
		"the last few.\n",
	.options = options,
	.max_operands = 2,
	.runs_stages = true,
	.may_fetch = true,
	.topic = TOPIC_RECIPE,
	.run = run,
};
