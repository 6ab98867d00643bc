/* Carrying a plan out: the executor and the event sinks are chosen here. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/path.h"
#include "cli/about.h"
#include "cli/notes.h"
#include "cli/premises.h"
#include "cli/print.h"
#include "cli/runtime.h"
#include "cli/screen.h"
#include "cli/session.h"
#include "cli/sharing.h"
#include "cli/signals.h"
#include "cli/snapshots.h"
#include "engine/resources.h"
#include "exec/limits.h"
#include "exec/local.h"
#include "host/failpoint.h"
#include "host/fs.h"
#include "host/terminal.h"
#include "report/progress.h"
#include "store/folder.h"

enum { PACE_US = 50000 }; /* between two drawings of the board */

/* ---- output ------------------------------------------------------------------------------- */

struct fd_output {
	struct progress_output output;
	int fd;
	struct err fault; /* the first one, of what must be whole */
};

static void write_fd(struct progress_output *output, const char *text, size_t n)
{
	struct fd_output *o = (struct fd_output *)output;

	fs_write_all(o->fd, text, n, "progress", &o->fault);
}

/* NULL: nothing is shown. */
static struct progress *choose_progress(struct session *s, const struct plan *plan,
                                        struct fd_output *output, struct screen *screen)
{
	const struct cli *cli = s->cli;
	const bool board = print_is_live(cli);
	struct progress *progress;

	output->output.write = write_fd;
	output->output.colour = cli->colour;
	output->output.again = session_words_again(s);
	output->output.about = about_plan(s, plan);
	output->output.pace_us = PACE_US;
	output->fd = STDERR_FILENO;
	if (board)
		output->output.utf8 = terminal_is_utf8();
	progress = progress_new(board                         ? "tty" :
	                        str_eq(cli->progress, "auto") ? "plain" :
	                                                        cli->progress,
	                        &output->output);
	if (board)
		screen_init(screen, progress_sink(progress), &output->output, STDERR_FILENO);
	return progress;
}

/* ---- the executor ------------------------------------------------------------------------- */

static int open_executor(struct session *s, struct err *err)
{
	_cleanup_free_ char *images = path_join(store_dir(s->store), "images");

	if (s->executor)
		return 0;
	if (session_choose_runtime(s, err) < 0)
		return -1;
	const struct executor_local_options options = {
		.server = s->cli->server,
		.store_dir = store_dir(s->store),
		.images_dir = images,
		.runtime = s->runtime,
		.userns_fd = s->userns_fd,
		.slots = (int)resources_slots(s->cli->jobs),
		.paranoid = s->paranoid,
		.said = print_is_live(s->cli),
	};
	return executor_local_new(&options, &s->executor, err);
}

/* ---- the run ------------------------------------------------------------------------------ */

static int run_with_sinks(struct session *s, const struct plan *plan,
                          const struct session_run_options *options,
                          struct event_sink *const *sinks, struct engine_result *ret,
                          struct err *err)
{
	struct engine_request request = {
		.plan = plan,
		.facts = &s->facts,
		.store = s->store,
		.recipe = s->recipe.name,
		.take_sources = store_trusts_stamps(s->store) ? session_take_sources : NULL,
		.take_sources_data = s,
		.executor = s->executor,
		.sinks = sinks,
		.jobs = s->cli->jobs,
		.memory = (int64_t)limits_memory(NULL),
		.keep_going = options->keep_going,
		.fail_fast = options->fail_fast,
		.dev = options->dev,
		.cancel_fd = -1,
	};
	struct alone alone = ALONE_INIT;
	int rc = sharing_open(s, plan, &alone, &request, err);

	if (rc == 0)
		rc = premises_keep(s, &request.premises, err);
	if (!options->dev)
		request.ledger = snapshots_ledger(s);
	if (rc == 0)
		rc = signals_hold(&request.cancel_fd, err);
	if (rc == 0) {
		rc = engine_run(s->arena, &request, ret, err);
		signals_release(request.cancel_fd);
	}
	ledger_free(request.ledger);
	jobserver_free(request.jobserver);
	alone_deinit(&alone);
	return rc;
}

/* After a failure: what was done is not lost, and says so. */
static void say_kept(struct session *s, const struct session_run_options *options,
                     const struct engine_result *result, const struct err *err)
{
	if (err->code == ERR_INTERRUPTED)
		notes_kept(s, result, "the same command goes on from there");
	else if (err->code == ERR_STAGE)
		notes_kept(s, result,
		           options->keep_going ? "they need what failed" :
		                                 "--keep-going runs those that do not need "
		                                 "what failed");
}

/* A record of the run in a file, beside what is shown of it. */
struct record {
	const char *what, *file; /* file NULL: none was asked for */
	struct fd_output output;
	struct progress *progress;
};

static int open_record(struct record *r, const char *what, const char *shape, const char *file,
                       struct err *err)
{
	*r = (struct record){ .what = what, .file = file };
	r->output = (struct fd_output){ .output.write = write_fd, .fd = -1, .fault = ERR_INIT };
	if (!file)
		return 0;
	if (!failpoint("record-create"))
		r->output.fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (r->output.fd < 0)
		return err_sys(err, err_sys_is_full(errno) ? ERR_IO : ERR_USAGE,
		               "--%s: cannot write %s", what, file);
	r->progress = progress_new(shape, &r->output.output);
	return 0;
}

/* A record that was asked for is whole, or the run failed. */
static int close_record(struct record *r, int rc, struct err *err)
{
	progress_free(r->progress);
	fs_close(r->output.fd);
	if (rc < 0 || r->output.fault.code == ERR_NONE)
		return rc;
	*err = r->output.fault;
	return err_while(err, "writing the %s to %s", r->what, r->file);
}

static int run_recorded(struct session *s, const struct plan *plan,
                        const struct session_run_options *options, struct record records[2],
                        struct engine_result *ret, struct err *err)
{
	struct fd_output terminal = { .fault = ERR_INIT };
	struct screen screen = { 0 };
	struct event_sink *sinks[4] = { 0 };
	struct progress *shown;
	size_t n = 0;
	int rc;

	for (size_t i = 0; i < 2; i++)
		if (records[i].progress)
			sinks[n++] = progress_sink(records[i].progress);
	shown = choose_progress(s, plan, &terminal, &screen);
	if (shown)
		sinks[n++] = screen.board ? &screen.sink : progress_sink(shown);
	rc = run_with_sinks(s, plan, options, sinks, ret, err);
	screen_deinit(&screen);
	progress_free(shown);
	return rc;
}

int session_run(struct session *s, const struct plan *plan,
                const struct session_run_options *options, struct engine_result *ret,
                struct err *err)
{
	struct record records[2] = { 0 };
	int rc;

	*ret = (struct engine_result){ 0 };
	if (open_executor(s, err) < 0 ||
	    open_record(&records[0], "events", "json", options->events_file, err) < 0)
		return -1;
	rc = open_record(&records[1], "trace", "trace", options->trace_file, err);
	if (rc == 0)
		rc = run_recorded(s, plan, options, records, ret, err);
	if (rc < 0 && ret->nodes)
		say_kept(s, options, ret, err);
	for (size_t i = 0; i < 2; i++)
		rc = close_record(&records[i], rc, err);
	return rc;
}
