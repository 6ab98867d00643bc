/* kiln build: runs the plan, keeps everything in the store. */
#include "cli/notes.h"
#include "cli/outputs.h"
#include "cli/pin.h"
#include "cli/print.h"
#include "cli/session.h"
#include "cli/snapshots.h"

static const struct command_option options[] = {
	{ "--variant", "VARIANT", "only this variant; default: what ships", false },
	{ "--until", "STAGE", "only up to this stage", true },
	{ "--keep-going", NULL, "go on with what does not need a failed stage", false },
	{ "--fail-fast", NULL, "end everything when one stage fails", false },
	{ "--dev", NULL, "build by increments, in folders that stay; never for a release", false },
	{ "--events", "FILE", "write events as JSON lines", false },
	{ "--trace", "FILE", "write a trace that Perfetto opens: what ran when, and what it took",
	  false },
	{ "-o", "DIR", "copy the packages there", false },
	{ "--update-lock", NULL, "write what was resolved and trained into the lock", false },
	SESSION_OPTIONS,
	{ 0 },
};

static int show_artefact(struct session *s, const struct plan *plan,
                         const struct engine_result *result, const struct plan_goal *goal,
                         const char *dir, json_t *list, struct err *err)
{
	struct tree_node node;

	if (outputs_node(s, plan, result, goal, &node, err) < 0)
		return -1;
	if (dir && outputs_copy(s, &node, dir, goal->artefact->name, err) < 0)
		return -1;
	json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:s,s:I}", "name", goal->artefact->name,
	                                      "target", goal->artefact->target, "variant",
	                                      goal->artefact->variant, "sha256",
	                                      DIGEST_TEXT(&node.ref.digest), "size",
	                                      (json_int_t)node.ref.size));
	return 0;
}

static int show(struct session *s, const struct plan *plan, const struct engine_result *result,
                const char *dir, struct err *err)
{
	_cleanup_json_ json_t *document = NULL;
	_cleanup_buf_ struct buf text = BUF_INIT(16 << 20);
	json_t *list = json_array(), *v;
	size_t i;

	document = json_pack("{s:s,s:I,s:I,s:o}", "schema", "kiln.build/1", "run",
	                     (json_int_t)result->n_run, "cached", (json_int_t)result->n_cached,
	                     "artefacts", list);
	for (i = 0; i < plan->n_goals; i++)
		if (plan->goals[i].artefact &&
		    show_artefact(s, plan, result, &plan->goals[i], dir, list, err) < 0)
			return -1;
	if (s->cli->json)
		json_write_pretty(document, &text);
	if (s->cli->json)
		return print_result(s->cli, buf_text(&text), text.n, err);
	json_array_foreach (list, i, v)
		buf_fmt(&text, "%s  %s%s%s\n", json_str_or(v, "sha256", ""), dir ? dir : "",
		        dir ? "/" : "", json_str_or(v, "name", ""));
	if (json_array_size(list) > 0 && !dir)
		print_note(s->cli, "  in the store: kiln build -o DIR copies %s to a folder",
		           json_array_size(list) == 1 ? "it" : "them");
	if (json_array_size(list) == 0)
		notes_made(s);
	return print_result(s->cli, buf_text(&text), text.n, err);
}

/* Where single stages are built there are no packages to copy. */
static int check_folder(const struct command_args *args, bool has_stages, struct err *err)
{
	if (!has_stages || !args_has(args, "-o"))
		return 0;
	err_set(err, ERR_USAGE, "-o takes packages, and with a stage named none are made");
	return err_hint(err, "take what a stage made: kiln get STAGE DIR");
}

static int run(struct cli *cli, const struct command_args *args, struct err *err)
{
	struct arena *arena = arena_new();
	_cleanup_session_ struct session *s = NULL;
	struct session_run_options run_options = {
		.keep_going = args_has(args, "--keep-going"),
		.fail_fast = args_has(args, "--fail-fast"),
		.dev = args_has(args, "--dev"),
		.events_file = args_value(args, "--events"),
		.trace_file = args_value(args, "--trace"),
	};
	struct engine_result result;
	struct plan *plan;
	const char **stages;
	const char *recipe = session_operand(args, &stages, arena);
	int rc = -1;

	if (check_folder(args, stages[0] != NULL, err) == 0 &&
	    session_open(cli, args, recipe, &s, err) == 0 &&
	    session_check_words(s, args_value(args, "--variant"), stages, err) == 0 &&
	    session_prepare(s, err) == 0 &&
	    session_plan(s, PLAN_BUILD, args_value(args, "--variant"), stages, &plan, err) == 0 &&
	    notes_profiles(s, plan, args_has(args, "--update-lock")) == 0 &&
	    session_run(s, plan, &run_options, &result, err) == 0) {
		notes_summary(s, plan, &result);
		notes_dev(s, plan, &result);
		rc = notes_unseen(s, plan, &result, err);
		if (rc == 0)
			rc = show(s, plan, &result, args_value(args, "-o"), err);
		if (rc == 0 && args_has(args, "--update-lock"))
			rc = pin_write(s, plan, &result, err);
		if (rc == 0)
			snapshots_end(s, plan, &result);
	}
	arena_free(arena);
	return rc;
}

const struct command cmd_build = {
	.name = "build",
	.summary = "build and package, without evidence or signature",
	.operands = "[RECIPE] [STAGE]...",
	.help = "Builds the packages of what ships, and runs its smoke test. With STAGE, builds only\n"
		"up to there (TARGET/VARIANT/STAGE; globs and short forms are fine). What is built\n"
		"stays in the store: a second run does nothing. With --dev what compiles goes on in\n"
		"the folder of its last run, so that make has only to do what changed; what comes\n"
		"of it is kept apart and found by --dev alone.\n"
		"\n"
		"--events writes a JSON object a line as things happen; its schema, `kiln.events/1`, is\n"
		"share/kiln/schemas/events.schema.json. --trace writes the Trace Event Format: a bar a\n"
		"stage, with the time that it was ready before it was started (`queued_us`), the processor\n"
		"time of its processes (`user_us`, `system_us`), the most memory that one of them had\n"
		"(`peak_bytes`), the content of all files laid out as its inputs and taken as its outputs\n"
		"(`bytes_in`, `bytes_out`; not its log), and the most tokens of the job server that it had\n"
		"(`most_tokens`); and over time how many stages run, wait, and how many tokens are lent.",
	.options = options,
	.max_operands = 64,
	.runs_stages = true,
	.first = true,
	.run = run,
};
