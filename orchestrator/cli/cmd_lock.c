/* kiln lock, kiln train: the two commands that make what a release later only replays. */
#include "cli/notes.h"
#include "cli/pin.h"
#include "cli/print.h"
#include "cli/runtime.h"
#include "cli/session.h"
#include "cli/unseen.h"

static const struct command_option lock_options[] = {
	{ "--keep-going", NULL, "go on with what does not need a failed stage", false },
	{ "--train", NULL, "train anew what still fits: the training runs have changed", false },
	SESSION_OPTIONS,
	{ 0 },
};

static int show_lock(struct session *s, const struct engine_result *result, struct err *err)
{
	_cleanup_json_ json_t *json =
		json_pack("{s:s,s:o,s:I,s:I}", "schema", "kiln.lock.result/1", "lock",
	                  json_any_text(s->lock_path), "run", (json_int_t)result->n_run, "cached",
	                  (json_int_t)result->n_cached);

	return print_json(json, err);
}

static int run_lock(struct cli *cli, const struct command_args *args, struct err *err)
{
	_cleanup_session_ struct session *s = NULL;
	const struct session_run_options run_options = {
		.keep_going = args_has(args, "--keep-going"),
	};
	struct engine_result result;
	struct plan *plan;

	if (session_open(cli, args, args->operands[0], &s, err) < 0)
		return -1;
	if (runtime_check_lock(s->runtime_name, err) < 0)
		return -1;
	/* Images are resolved anew, verdicts are made anew; a profile that still fits stays. */
	s->update = true;
	if (session_prepare(s, err) < 0)
		return -1;
	map_free(s->facts.verdicts);
	s->facts.verdicts = map_new();
	if (args_has(args, "--train")) {
		map_free(s->facts.pins);
		s->facts.pins = map_new();
	}
	s->unseen = unseen_lacks(s);
	if (session_plan(s, PLAN_RELEASE, NULL, NULL, &plan, err) < 0 ||
	    notes_profiles(s, plan, true) < 0 ||
	    session_run(s, plan, &run_options, &result, err) < 0)
		return -1;
	notes_summary(s, plan, &result);
	if (notes_unseen(s, plan, &result, err) < 0 || pin_write(s, plan, &result, err) < 0)
		return -1;
	return cli->json ? show_lock(s, &result, err) : 0;
}

const struct command cmd_lock = {
	.name = "lock",
	.summary = "pin images, sources, profiles and verdicts in kiln.lock",
	.operands = "[RECIPE]",
	.help = "Resolves images to the newest packages, trains profiles that are missing or no longer\n"
		"fit, builds and smoke-tests every variant, and writes all digests into kiln.lock and\n"
		"the profiles into kiln.profiles/ beside it: commit both. With the lock a release\n"
		"neither trains nor resolves anything.",
	.options = lock_options,
	.max_operands = 1,
	.of_head = true,
	.runs_stages = true,
	.topic = TOPIC_RECIPE,
	.run = run_lock,
};

static const struct command_option train_options[] = { SESSION_OPTIONS, { 0 } };

static int show_profiles(struct session *s, const struct plan *plan,
                         const struct engine_result *result, struct err *err)
{
	_cleanup_json_ json_t *list = json_array();
	_cleanup_buf_ struct buf text = BUF_INIT(1 << 20);

	for (size_t i = 0; i < plan->n_profiles; i++) {
		struct tree_node node;
		struct digest identity;

		if (!plan->nodes[plan->profiles[i].node].wanted)
			continue;
		if (pin_profile_content(s, plan, result, i, &node, &identity, err) < 0)
			return -1;
		buf_fmt(&text, "%s  %s\n", DIGEST_TEXT(&node.ref.digest),
		        plan->profiles[i].profile->id);
		json_array_append_new(list, json_pack("{s:s,s:s,s:s}", "id",
		                                      plan->profiles[i].profile->id, "sha256",
		                                      DIGEST_TEXT(&node.ref.digest), "identity",
		                                      DIGEST_TEXT(&identity)));
	}
	if (s->cli->json) {
		_cleanup_json_ json_t *json =
			json_pack("{s:s,s:O}", "schema", "kiln.train/1", "profiles", list);

		return print_json(json, err);
	}
	return print_text(buf_text(&text), text.n, err);
}

static int run_train(struct cli *cli, const struct command_args *args, struct err *err)
{
	_cleanup_session_ struct session *s = NULL;
	const struct session_run_options run_options = { 0 };
	struct engine_result result;
	struct plan *plan;

	if (session_open(cli, args, args->operands[0], &s, err) < 0 ||
	    session_prepare(s, err) < 0 || session_plan(s, PLAN_TRAIN, NULL, NULL, &plan, err) < 0)
		return -1;
	if (plan->n_goals == 0)
		return err_set(err, ERR_USAGE, "%s has no profile to train: optimize asks for none",
		               s->recipe_path);
	if (session_run(s, plan, &run_options, &result, err) < 0)
		return -1;
	notes_summary(s, plan, &result);
	if (notes_unseen(s, plan, &result, err) < 0)
		return -1;
	return show_profiles(s, plan, &result, err);
}

const struct command cmd_train = {
	.name = "train",
	.summary = "make the profiles, whatever the lock pins",
	.operands = "[RECIPE]",
	.help = "Builds the instrumented variants and runs the training workloads. The profiles are in\n"
		"the store afterwards; `kiln lock --train` pins them.",
	.options = train_options,
	.max_operands = 1,
	.runs_stages = true,
	.topic = TOPIC_RECIPE,
	.run = run_train,
};
