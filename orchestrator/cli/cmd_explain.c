/* kiln explain: why a stage will run, or why it last ran. */
#include "cli/print.h"
#include "cli/session.h"
#include "cli/why.h"
#include "report/explain_text.h"

static const struct command_option options[] = {
	{ "--variant", "VARIANT", "only this variant", false },
	{ "--until", "STAGE", "a stage to explain, as an operand is", true },
	{ "--release", NULL, "as `kiln release` would: of what is committed", false },
	SESSION_OPTIONS,
	{ 0 },
};

/* What is asked about: the stages that were named, else whatever would run. */
static bool *choose(struct session *s, const struct plan *plan, const char *const *stages,
                    const struct engine_result *looked)
{
	bool *which;

	if (!stages[0])
		return why_would_run(s, plan, looked);
	which = arena_array(s->arena, plan->n_nodes, sizeof(*which));
	for (size_t i = 0; i < plan->n_nodes; i++)
		for (size_t k = 0; plan->nodes[i].wanted && stages[k]; k++)
			which[i] |= plan_address_matches(stages[k], plan->nodes[i].stage->address);
	return which;
}

static int show(struct session *s, const struct explanation *const *list, size_t n, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(256 << 20);
	_cleanup_json_ json_t *json = NULL;

	if (s->cli->json) {
		json = explain_json(list, n);
		return print_json(json, err);
	}
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_add_char(&text, '\n');
		explain_text(list[i], &text);
	}
	if (n == 0)
		print_note(s->cli, "  nothing would run");
	return print_text(buf_text(&text), text.n, err);
}

static int explain_stages(struct session *s, const struct plan *plan, const char *const *stages,
                          struct err *err)
{
	const struct explanation **all = arena_array(s->arena, plan->n_nodes, sizeof(*all));
	struct engine_result looked;
	bool *which;
	size_t n = 0;

	if (why_look(s, plan, &looked, err) < 0)
		return -1;
	which = choose(s, plan, stages, &looked);
	if (why_explain(s, plan, &looked, which, all, err) < 0)
		return -1;
	for (size_t i = 0; i < plan->n_nodes; i++)
		if (which[i] && all[i])
			all[n++] = all[i];
	return show(s, all, n, err);
}

static int run(struct cli *cli, const struct command_args *args, struct err *err)
{
	struct arena *arena = arena_new();
	_cleanup_session_ struct session *s = NULL;
	const char *variant = args_value(args, "--variant"), **stages;
	const char *recipe = session_operand(args, &stages, arena);
	struct plan *plan;
	int rc = -1;

	if (session_open(cli, args, recipe, &s, err) == 0 &&
	    session_check_words(s, variant, stages, err) == 0 && session_prepare(s, err) == 0 &&
	    session_plan(s, args_has(args, "--release") ? PLAN_RELEASE : PLAN_BUILD, variant,
	                 stages, &plan, err) == 0)
		rc = explain_stages(s, plan, stages, err);
	arena_free(arena);
	return rc;
}

const struct command cmd_explain = {
	.name = "explain",
	.summary = "say why a stage runs, down to the file that changed",
	.operands = "[RECIPE] [STAGE]...",
	.help = "Compares what a stage is made of with what it was made of when it last ran, and names\n"
		"each file, argument, variable, package and profile that differs, through all stages\n"
		"in between. Of a stage that is cached it says why it last ran. Without STAGE it\n"
		"explains all that would run. Nothing is built.",
	.options = options,
	.max_operands = 64,
	.may_fetch = true,
	.topic = TOPIC_RECIPE,
	.run = run,
};
