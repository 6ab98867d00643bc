/* kiln log: what a stage printed, whether it failed or not. */
#include "cli/print.h"
#include "cli/session.h"
#include "evidence/facts.h"
#include "external/json.h"
#include "report/progress.h"

static const struct command_option options[] = { SESSION_OPTIONS, { 0 } };

struct shown {
	struct result result;
	bool dev; /* it was built by increments */
};

static int read_blob(struct session *s, const struct blob_ref *ref, struct buf *text,
                     struct err *err)
{
	int rc = ref->size ? blobs_read(store_blobs(s->store), ref, text, err) : 0;

	if (rc == BLOBS_MISS)
		return err_set(err, ERR_IO, "the store does not have this output any more");
	return rc;
}

/* Beside what it printed, so that a pipe has that alone. */
static void note_when(struct session *s, const struct stage *stage, const struct shown *shown)
{
	const struct result *result = &shown->result;
	char began[FACTS_TIME_SIZE], took[16];

	if (str_eq(s->cli->progress, "none") || str_eq(s->cli->progress, "json"))
		return;
	print_note(s->cli, "  %s ran at %s for %s%s, exit status %d", stage->address,
	           facts_time(result->started_us / 1000000, began),
	           progress_duration(result->wall_us, took), shown->dev ? " by increments" : "",
	           result->exit_code);
}

static int show(struct session *s, const struct stage *stage, const struct shown *shown,
                struct err *err)
{
	const struct result *result = &shown->result;
	_cleanup_buf_ struct buf out = BUF_INIT((size_t)1 << 30), log = BUF_INIT((size_t)1 << 30);
	_cleanup_json_ json_t *json = NULL;

	if (read_blob(s, &result->out, &out, err) < 0 || read_blob(s, &result->log, &log, err) < 0)
		return -1;
	if (!s->cli->json) {
		note_when(s, stage, shown);
		return print_text(buf_text(&out), out.n, err) < 0 ?
		               -1 :
		               print_text(buf_text(&log), log.n, err);
	}
	json = json_pack("{s:s,s:s,s:b,s:i,s:I,s:I,s:o,s:o}", "schema", "kiln.log/1", "stage",
	                 stage->address, "incremental", shown->dev, "exit", result->exit_code,
	                 "started_us", (json_int_t)result->started_us, "wall_us",
	                 (json_int_t)result->wall_us, "stdout", json_any_text(buf_text(&out)),
	                 "stderr", json_any_text(buf_text(&log)));
	return print_json(json, err);
}

/* Its last run under a name: the failed one, where it failed last. Returns 0 or STORE_MISS. */
static int find_under(struct session *s, const char *kept, struct result *ret, struct err *err)
{
	struct digest action;
	int64_t wall;
	int rc = store_get_failure(s->store, s->arena, kept, &action, ret, err);

	if (rc != STORE_MISS)
		return rc;
	rc = store_last_action(s->store, kept, &action, &wall, err);
	return rc == 0 ? store_get_result(s->store, s->arena, &action, ret, err) : rc;
}

/* The later one of its last run and the last by increments. */
static int find_run(struct session *s, const struct stage *stage, struct shown *ret,
                    struct err *err)
{
	const char *name = s->recipe.name, *address = stage->address;
	struct result dev;
	int real_rc = find_under(s, engine_kept_under(s->arena, name, address), &ret->result, err);
	int dev_rc = real_rc < 0 ?
	                     -1 :
	                     find_under(s, engine_kept_dev(s->arena, name, address), &dev, err);

	if (dev_rc < 0)
		return -1;
	ret->dev =
		dev_rc == 0 && (real_rc == STORE_MISS || dev.started_us > ret->result.started_us);
	if (ret->dev)
		ret->result = dev;
	if (real_rc == 0 || dev_rc == 0)
		return 0;
	err_set(err, ERR_USAGE, "%s has not run in this store", address);
	return err_hint(err, "run it: kiln build %s; another store: --store DIR", address);
}

static int run(struct cli *cli, const struct command_args *args, struct err *err)
{
	_cleanup_session_ struct session *s = NULL;
	const size_t n = args->n_operands;
	const struct stage *stage;
	struct shown shown;

	if (session_open(cli, args, n == 2 ? args->operands[0] : NULL, &s, err) < 0 ||
	    plan_find_stage(s->recipe.stages, s->recipe.n_stages, args->operands[n - 1], &stage,
	                    err) < 0 ||
	    find_run(s, stage, &shown, err) < 0)
		return -1;
	return show(s, stage, &shown, err);
}

const struct command cmd_log = {
	.name = "log",
	.summary = "show what a stage printed",
	.operands = "[RECIPE] STAGE",
	.help = "Prints standard output and then standard error of the stage's last run, also of one by\n"
		"increments (--dev): of the failed one, where it failed last. Standard error begins\n"
		"with when that was (UTC), how long it took and how it ended; with --json these are\n"
		"members beside the text.",
	.options = options,
	.min_operands = 1,
	.max_operands = 2,
	.topic = TOPIC_RECIPE,
	.run = run,
};
