/* kiln log: what a stage printed, whether it failed or not. */
#include "cli/print.h"
#include "cli/session.h"
#include "evidence/facts.h"
#include "external/json.h"
#include "report/progress.h"

static const struct command_option options[] = { SESSION_OPTIONS, { 0 } };

static int read_blob(struct session *s, const struct blob_ref *ref, struct buf *text,
                     struct err *err)
{
	int rc = ref->size ? blobs_read(store_blobs(s->store), ref, text, err) : 0;

	if (rc == BLOBS_MISS)
		return err_set(err, ERR_IO, "the store does not have this output any more");
	return rc;
}

/* Beside what it printed, so that a pipe has that alone. */
static void note_when(struct session *s, const struct stage *stage, const struct result *result)
{
	char began[FACTS_TIME_SIZE], took[16];

	if (str_eq(s->cli->progress, "none") || str_eq(s->cli->progress, "json"))
		return;
	print_note(s->cli, "  %s ran at %s for %s, exit status %d", stage->address,
	           facts_time(result->started_us / 1000000, began),
	           progress_duration(result->wall_us, took), result->exit_code);
}

static int show(struct session *s, const struct stage *stage, const struct result *result,
                struct err *err)
{
	_cleanup_buf_ struct buf out = BUF_INIT((size_t)1 << 30), log = BUF_INIT((size_t)1 << 30);
	_cleanup_json_ json_t *json = NULL;

	if (read_blob(s, &result->out, &out, err) < 0 || read_blob(s, &result->log, &log, err) < 0)
		return -1;
	if (!s->cli->json) {
		note_when(s, stage, result);
		return print_text(buf_text(&out), out.n, err) < 0 ?
		               -1 :
		               print_text(buf_text(&log), log.n, err);
	}
	json = json_pack("{s:s,s:s,s:i,s:I,s:I,s:o,s:o}", "schema", "kiln.log/1", "stage",
	                 stage->address, "exit", result->exit_code, "started_us",
	                 (json_int_t)result->started_us, "wall_us", (json_int_t)result->wall_us,
	                 "stdout", json_any_text(buf_text(&out)), "stderr",
	                 json_any_text(buf_text(&log)));
	return print_json(json, err);
}

static int find_result(struct session *s, const struct stage *stage, struct result *ret,
                       struct err *err)
{
	struct digest action;
	int64_t wall;
	const char *kept = engine_kept_under(s->arena, s->recipe.name, stage->address);
	int rc = store_get_failure(s->store, s->arena, kept, &action, ret, err);

	if (rc != STORE_MISS)
		return rc;
	rc = store_last_action(s->store, kept, &action, &wall, err);
	if (rc == 0)
		rc = store_get_result(s->store, s->arena, &action, ret, err);
	if (rc == STORE_MISS) {
		err_set(err, ERR_USAGE, "%s has not run in this store", stage->address);
		return err_hint(err, "run it: kiln build %s; another store: --store DIR",
		                stage->address);
	}
	return rc;
}

static int run(struct cli *cli, const struct command_args *args, struct err *err)
{
	_cleanup_session_ struct session *s = NULL;
	const size_t n = args->n_operands;
	const struct stage *stage;
	struct result result;

	if (session_open(cli, args, n == 2 ? args->operands[0] : NULL, &s, err) < 0 ||
	    plan_find_stage(s->recipe.stages, s->recipe.n_stages, args->operands[n - 1], &stage,
	                    err) < 0 ||
	    find_result(s, stage, &result, err) < 0)
		return -1;
	return show(s, stage, &result, err);
}

const struct command cmd_log = {
	.name = "log",
	.summary = "show what a stage printed",
	.operands = "[RECIPE] STAGE",
	.help = "Prints standard output and then standard error of the stage's last run: of the failed\n"
		"one, where it failed last. Standard error begins with when that was (UTC), how long it\n"
		"took and how it ended; with --json these are members beside the text.",
	.options = options,
	.min_operands = 1,
	.max_operands = 2,
	.topic = TOPIC_RECIPE,
	.run = run,
};
