/*
 * Kiln's entry. The runner server is forked first, while the process is small and holds nothing
 * that must not cross a fork; then the command line is read and one command runs.
 */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cli/args.h"
#include "cli/help.h"
#include "cli/print.h"
#include "cli/signals.h"
#include "cli/snapshots.h"
#include "exec/server.h"
#include "host/child.h"
#include "host/failpoint.h"
#include "host/process.h"
#include "host/terminal.h"

static int print_and_end(void (*fill)(const struct command *, struct buf *),
                         const struct command *command, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(1 << 20);

	fill(command, &text);
	return print_text(buf_text(&text), text.n, err);
}

static void fill_overview(const struct command *command, struct buf *text)
{
	(void)command;
	help_overview(text);
}

/* `kiln image --help`: the command is not whole, and its word says what is asked about. */
static int print_group(const char *word, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(1 << 20);

	help_group(word, &text);
	return print_text(buf_text(&text), text.n, err);
}

static void fill_version(const struct command *command, struct buf *text)
{
	(void)command;
	buf_fmt(text, "kiln %s\n", KILN_VERSION);
}

static int wants_color(const char *when, bool *ret, struct err *err)
{
	if (!when || str_eq(when, "auto"))
		*ret = terminal_wants_color(STDERR_FILENO);
	else if (str_eq(when, "always") || str_eq(when, "never"))
		*ret = str_eq(when, "always");
	else
		return err_set(err, ERR_USAGE, "--color is \"%s\", not auto, always or never",
		               when);
	return 0;
}

static int check_progress(const char *how, struct err *err)
{
	const char *near;

	for (size_t i = 0; args_progress_words[i]; i++)
		if (str_eq(args_progress_words[i], how))
			return 0;
	near = str_nearest(how, args_progress_words);
	return err_set(err, ERR_USAGE,
	               "--progress is \"%s\", not auto, tty, plain, json or none%s%s%s", how,
	               near ? " (did you mean \"" : "", near ? near : "", near ? "\"?)" : "");
}

static int read_jobs(const char *text, int *ret, struct err *err)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	char *end;

	if (text) {
		n = strtol(text, &end, 10);
		if (*end || end == text || n < 1 || n > 4096)
			return err_set(err, ERR_USAGE, "-j is \"%s\", not a number from 1 to 4096",
			               text);
	}
	*ret = n < 1 ? 1 : (int)n;
	return 0;
}

static int fill_cli(const struct common_options *common, struct cli *cli, struct err *err)
{
	if (common->directory && chdir(common->directory) < 0)
		return err_sys(err, ERR_USAGE, "-C: cannot enter %s", common->directory);
	cli->directory = common->directory;
	cli->store_dir = common->store_dir;
	cli->json = common->json;
	cli->progress = common->progress ? common->progress : "auto";
	cli->under_ci = terminal_is_ci();
	cli->log.say = print_log;
	cli->log.work = working_show;
	cli->targets = (char **)common->targets;
	if (check_progress(cli->progress, err) < 0)
		return -1;
	if (wants_color(common->color, &cli->colour, err) < 0)
		return -1;
	return read_jobs(common->jobs, &cli->jobs, err);
}

static int run(struct arena *arena, int argc, char **argv, struct cli *cli, struct err *err)
{
	const struct command *command = NULL;
	struct common_options common;
	struct command_args args;
	int rc;

	if (args_parse(arena, argc, argv, &command, &common, &args, err) < 0)
		return -1;
	if (common.version)
		return print_and_end(fill_version, NULL, err);
	if (common.help && command)
		return print_and_end(help_command, command, err);
	if (!command) {
		if (common.help && args.n_operands > 0)
			return print_group(args.operands[0], err);
		if (common.help || argc == 1)
			return print_and_end(fill_overview, NULL, err);
		return err_set(err, ERR_USAGE, "no command; `kiln --help` lists them");
	}
	cli->of_head = command->of_head;
	cli->runs_stages = command->runs_stages;
	if ((command->runs_stages || command->may_fetch) &&
	    runner_server_start(&cli->server, err) < 0)
		return -1;
	signals_default_to_exit();
	if (fill_cli(&common, cli, err) < 0)
		return -1;
	rc = command->run(cli, &args, err);
	return rc;
}

enum { LARGE = 128 << 10 }; /* bytes */

int main(int argc, char **argv)
{
	struct arena *arena = arena_new();
	struct cli cli = { .progress = "auto" };
	struct err err = ERR_INIT;
	int rc;

	prctl(PR_SET_NAME, "kiln", 0, 0, 0); /* as its front is called */
	/* What a phase of a large plan had goes back to the system when it is freed. Left alone, the C library
	 * keeps as much as the largest piece that it ever saw freed. */
	mallopt(M_MMAP_THRESHOLD, LARGE);
	failpoint_arm();
	process_fill_standard_fds();
	child_mind_children();
	snapshots_prepare(argc, argv, &cli);
	rc = run(arena, argc, argv, &cli, &err);
	bug_on(rc < 0 && err.code == ERR_NONE);
	if (rc < 0)
		print_err(&err, cli.colour);
	runner_server_stop(cli.server);
	buf_deinit(&cli.key);
	buf_deinit(&cli.said);
	arena_free(arena);
	return rc < 0 ? err_exit_status(&err) : 0;
}
