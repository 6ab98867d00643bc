/* kiln plan: what would run and what is cached; nothing runs. */
#include "cli/print.h"
#include "cli/session.h"
#include "cli/why.h"
#include "model/triple.h"
#include "report/explain_text.h"
#include "report/plan_text.h"

static const struct command_option options[] = {
	{ "--variant", "VARIANT", "only this variant", false },
	{ "--until", "STAGE", "only up to this stage", true },
	{ "--release", NULL, "as `kiln release` would: all candidates too", false },
	{ "--targets", NULL, "list every target triple there is, and nothing else", false },
	SESSION_OPTIONS,
	{ 0 },
};

/* Looks every wanted node up, and says why those run that do. */
static int look(struct session *s, const struct plan *plan, struct plan_outlook *outlook,
                struct err *err)
{
	const struct explanation **all = arena_array(s->arena, plan->n_nodes, sizeof(*all));
	struct engine_result looked;
	bool *would;

	if (why_look(s, plan, &looked, err) < 0)
		return -1;
	would = why_would_run(s, plan, &looked);
	if (why_explain(s, plan, &looked, would, all, err) < 0)
		return -1;
	for (size_t i = 0; i < plan->n_nodes; i++)
		if (would[i])
			outlook[i] = (struct plan_outlook){
				all[i]->state == EXPLAIN_RUNS ? 0 : -1,
				explain_summary(s->arena, all[i]),
			};
		else
			outlook[i].cached = plan->nodes[i].pinned ? -1 : 1;
	return 0;
}

static int put(void *data, const char *text, size_t n, struct err *err)
{
	(void)data;
	return print_text(text, n, err);
}

static int show(struct session *s, const struct plan *plan, struct err *err)
{
	struct plan_outlook *outlook = arena_array(s->arena, plan->n_nodes, sizeof(*outlook));
	_cleanup_json_ json_t *json = NULL;

	if (look(s, plan, outlook, err) < 0)
		return -1;
	if (s->cli->json) {
		json = plan_json(plan, &s->facts, outlook);
		/* What the recipe read of the world. */
		json_object_set(json, "facts", json_object_get(s->document, "facts"));
		json_object_set(json, "options", json_object_get(s->document, "options"));
		return print_json(json, err);
	}
	return plan_text(plan, &s->facts, outlook, put, NULL, err);
}

static int show_targets(bool json, struct err *err)
{
	_cleanup_json_ json_t *list = json_array();
	_cleanup_buf_ struct buf text = BUF_INIT(1 << 16);

	for (const char *const *name = triple_known(); *name; name++) {
		json_array_append_new(list, json_string(*name));
		buf_fmt(&text, "%s\n", *name);
	}
	if (json) {
		_cleanup_json_ json_t *document =
			json_pack("{s:s,s:O}", "schema", "kiln.targets/1", "targets", list);

		return print_json(document, err);
	}
	return print_text(buf_text(&text), text.n, err);
}

static int run(struct cli *cli, const struct command_args *args, struct err *err)
{
	struct arena *arena = arena_new();
	_cleanup_session_ struct session *s = NULL;
	struct plan *plan;
	const char **stages;
	const char *recipe = session_operand(args, &stages, arena);
	int rc = -1;

	if (args_has(args, "--targets")) {
		arena_free(arena);
		return show_targets(cli->json, err);
	}
	if (session_open(cli, args, recipe, &s, err) == 0 &&
	    session_check_words(s, args_value(args, "--variant"), stages, err) == 0 &&
	    session_prepare(s, err) == 0 &&
	    session_plan(s, args_has(args, "--release") ? PLAN_RELEASE : PLAN_BUILD,
	                 args_value(args, "--variant"), stages, &plan, err) == 0)
		rc = show(s, plan, err);
	arena_free(arena);
	return rc;
}

const struct command cmd_plan = {
	.name = "plan",
	.summary = "show what would run, and what is cached",
	.operands = "[RECIPE] [STAGE]...",
	.help = "Prints the stages of the current round: \"run\" is known to be missing, \"run?\" is\n"
		"known once what it takes has run, \"cached\" is there, \"pinned\" comes from the\n"
		"lock. Behind each stage that runs stands what changed; `kiln explain` says more. Sources and images are fetched, nothing is built.",
	.options = options,
	.max_operands = 64,
	.may_fetch = true,
	.topic = TOPIC_RECIPE,
	.run = run,
};
