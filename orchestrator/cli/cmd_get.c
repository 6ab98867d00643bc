/* kiln get: takes a built file out of the store. */
#include "base/path.h"
#include "cli/outputs.h"
#include "cli/print.h"
#include "cli/session.h"
#include "store/place.h"

static const struct command_option options[] = { SESSION_OPTIONS, { 0 } };

/* Splits "STAGE:PATH"; without a path a stage's only output is meant. */
static void split(struct arena *arena, const char *operand, const char **ret_stage,
                  const char **ret_path)
{
	const char *colon = strchr(operand, ':');

	*ret_stage = colon ? arena_str_n(arena, operand, (size_t)(colon - operand)) : operand;
	*ret_path = colon ? colon + 1 : NULL;
}

static int hint_outputs(const struct result *result, const char *address, struct err *err)
{
	_cleanup_buf_ struct buf names = BUF_INIT(1000);

	for (size_t i = 0; i < result->n_outputs; i++)
		buf_fmt(&names, "%s%s:%s", i ? ", " : "", address, result->outputs[i].path);
	return err_hint(err, "it has %s", result->n_outputs ? buf_text(&names) : "none");
}

static int only_output(const struct result *result, const char *address, const char **ret,
                       struct err *err)
{
	if (result->n_outputs == 1) {
		*ret = result->outputs[0].path;
		return 0;
	}
	err_set(err, ERR_USAGE, "%s has several outputs: which one?", address);
	return hint_outputs(result, address, err);
}

static int not_built(struct session *s, const struct stage *stage, struct err *err)
{
	_cleanup_buf_ struct buf words = BUF_INIT(4096);

	for (const char *const *word = session_words_again(s); *word; word++) {
		_cleanup_free_ char *quoted = str_quote(*word);

		buf_fmt(&words, "%s ", quoted);
	}
	err_set(err, ERR_USAGE, "%s is not built", stage->address);
	return err_hint(err, "kiln build %s%s", buf_text(&words), stage->address);
}

static int take(struct session *s, const struct plan *plan, const struct stage *stage,
                const char *path, const char *dir, struct err *err)
{
	const struct engine_request request = {
		.plan = plan,
		.facts = &s->facts,
		.store = s->store,
		.recipe = s->recipe.name,
		.jobs = 1,
		.dry = true,
		.cancel_fd = -1,
	};
	struct engine_result result;
	struct tree_node node;
	const struct engine_node *n;
	_cleanup_free_ char *shown = NULL;
	int rc;

	if (engine_run(s->arena, &request, &result, err) < 0)
		return -1;
	n = &result.nodes[stage - s->recipe.stages];
	if (n->state != NODE_CACHED)
		return not_built(s, stage, err);
	if (!path && only_output(n->result, stage->address, &path, err) < 0)
		return -1;
	rc = engine_output(store_blobs(s->store), s->arena, n->result, path, &node, err);
	if (rc == PLACE_MISSING) {
		err_set(err, ERR_USAGE, "%s has no output \"%s\"", stage->address, path);
		return hint_outputs(n->result, stage->address, err);
	}
	if (rc < 0 || outputs_copy(s, &node, dir, path_base(path), err) < 0)
		return -1;
	shown = path_join(dir, path_base(path));
	if (s->cli->json) {
		_cleanup_json_ json_t *json =
			json_pack("{s:s,s:s,s:s,s:o}", "schema", "kiln.get/1", "stage",
		                  stage->address, "output", path, "path", json_any_text(shown));

		return print_json(json, err);
	}
	return print_text(shown, strlen(shown), err) < 0 ? -1 : print_text("\n", 1, err);
}

static int run(struct cli *cli, const struct command_args *args, struct err *err)
{
	struct arena *arena = arena_new();
	_cleanup_session_ struct session *s = NULL;
	const size_t n = args->n_operands;
	const char *recipe = n == 3 ? args->operands[0] : NULL;
	const char *until[2] = { NULL, NULL };
	const struct stage *stage;
	const char *typed, *path;
	struct plan *plan;
	int rc = -1;

	split(arena, args->operands[n - 2], &typed, &path);
	if (session_open(cli, args, recipe, &s, err) == 0 &&
	    plan_find_stage(s->recipe.stages, s->recipe.n_stages, typed, &stage, err) == 0) {
		until[0] = stage->address;
		if (session_prepare(s, err) == 0 &&
		    session_plan(s, PLAN_BUILD, NULL, until, &plan, err) == 0)
			rc = take(s, plan, stage, path, args->operands[n - 1], err);
	}
	arena_free(arena);
	return rc;
}

const struct command cmd_get = {
	.name = "get",
	.summary = "take a built file out of the store",
	.operands = "[RECIPE] STAGE[:PATH] DIR",
	.help = "Writes an output of a stage into DIR: the whole output, or PATH of it. The stage must\n"
		"be built. \"@stdout\" and \"@log\" are what the stage printed.",
	.options = options,
	.min_operands = 2,
	.max_operands = 3,
	.topic = TOPIC_RECIPE,
	.run = run,
};
