/* kiln log: what a stage printed, whether it failed or not. */
#include "cli/print.h"
#include "cli/session.h"
#include "evidence/facts.h"
#include "external/json.h"
#include "model/times.h"
#include "report/progress.h"
#include "report/stamped.h"

static const struct command_option options[] = {
	{ "--timestamps", NULL,
	  "say in front of each line when it came, of both streams in that order", false },
	SESSION_OPTIONS,
	{ 0 },
};

static const size_t TEXT_MOST = (size_t)1 << 30;

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

/* What it printed, and when, as far as that was kept. */
struct printed {
	struct buf out, log;
	struct times out_times, log_times;
	bool timed;
};

static void printed_deinit(struct printed *p)
{
	buf_deinit(&p->out);
	buf_deinit(&p->log);
	times_deinit(&p->out_times);
	times_deinit(&p->log_times);
}

static int read_times(struct session *s, const struct blob_ref *ref, struct printed *p,
                      struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(TEXT_MOST);

	if (digest_is_none(&ref->digest))
		return 0;
	if (read_blob(s, ref, &text, err) < 0 ||
	    times_read(buf_str(&text), &p->out_times, &p->log_times, err) < 0)
		return -1;
	p->timed = true;
	return 0;
}

static int read_printed(struct session *s, const struct result *result, struct printed *p,
                        struct err *err)
{
	*p = (struct printed){ .out = BUF_INIT(TEXT_MOST), .log = BUF_INIT(TEXT_MOST) };
	return read_blob(s, &result->out, &p->out, err) < 0 ||
	                       read_blob(s, &result->log, &p->log, err) < 0 ?
	               -1 :
	               read_times(s, &result->times, p, err);
}

static int print_stamped(const struct result *result, const struct printed *p, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(2 * TEXT_MOST);

	stamped_lines(buf_str(&p->out), &p->out_times, buf_str(&p->log), &p->log_times,
	              result->started_us, &text);
	if (text.overflow)
		return err_set(err, ERR_INPUT, "with times it is more than %zu MiB of text",
		               2 * TEXT_MOST >> 20);
	return print_text(buf_text(&text), text.n, err);
}

static int print_plain(const struct printed *p, struct err *err)
{
	return print_text(buf_text(&p->out), p->out.n, err) < 0 ?
	               -1 :
	               print_text(buf_text(&p->log), p->log.n, err);
}

static json_t *json_of(const struct stage *stage, const struct shown *shown,
                       const struct printed *p)
{
	const struct result *result = &shown->result;
	json_t *json = json_pack(
		"{s:s,s:s,s:b,s:i,s:I,s:I,s:o,s:o}", "schema", "kiln.log/1", "stage",
		stage->address, "incremental", shown->dev, "exit", result->exit_code, "started_us",
		(json_int_t)result->started_us, "wall_us", (json_int_t)result->wall_us, "stdout",
		json_any_text(buf_text(&p->out)), "stderr", json_any_text(buf_text(&p->log)));

	if (p->timed)
		json_object_set_new(json, "times", times_json(&p->out_times, &p->log_times));
	return json;
}

static int show(struct session *s, const struct stage *stage, const struct shown *shown,
                bool stamped, struct err *err)
{
	_cleanup_json_ json_t *json = NULL;
	struct printed p;
	int rc = read_printed(s, &shown->result, &p, err);

	if (rc == 0 && s->cli->json) {
		json = json_of(stage, shown, &p);
		rc = print_json(json, err);
	} else if (rc == 0) {
		note_when(s, stage, shown);
		rc = stamped ? print_stamped(&shown->result, &p, err) : print_plain(&p, err);
	}
	printed_deinit(&p);
	return rc;
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
	return show(s, stage, &shown, args_has(args, "--timestamps"), err);
}

const struct command cmd_log = {
	.name = "log",
	.summary = "show what a stage printed",
	.operands = "[RECIPE] STAGE",
	.help = "Prints standard output and then standard error of the stage's last run, also of one by\n"
		"increments (--dev): of the failed one, where it failed last. Standard error begins\n"
		"with when that was (UTC), how long it took and how it ended; with --json these are\n"
		"members beside the text.\n"
		"\n"
		"With --timestamps lines of both streams stand in the order in which they came, each\n"
		"behind its time (UTC), a hundredth of a second exact; a stage that took less than a\n"
		"second has the time that it began. With --json the member `times` says of each stream\n"
		"behind how many bytes more came, so many microseconds after the stage was started.",
	.options = options,
	.min_operands = 1,
	.max_operands = 2,
	.topic = TOPIC_RECIPE,
	.run = run,
};
