/* The only place that writes to the terminal, besides the progress output. */
#include "cli/print.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/fs.h"
#include "host/terminal.h"
#include "snapshot/snapshot.h"

bool print_is_live(const struct cli *cli)
{
	if (!str_eq(cli->progress, "auto"))
		return str_eq(cli->progress, "tty");
	return terminal_moves(STDERR_FILENO) && !cli->under_ci;
}

/* Snapshots say it again: see cli/snapshots.h. */
static void keep(struct cli *cli, int fd, const char *text, size_t n)
{
	const struct snapshot_said head = { (uint32_t)fd, (uint32_t)n };

	if (cli->key.n == 0)
		return;
	buf_add(&cli->said, &head, sizeof(head));
	buf_add(&cli->said, text, n);
}

int print_text(const char *text, size_t n, struct err *err)
{
	return fs_write_all(STDOUT_FILENO, text, n, "standard output", err);
}

int print_result(struct cli *cli, const char *text, size_t n, struct err *err)
{
	keep(cli, STDOUT_FILENO, text, n);
	return print_text(text, n, err);
}

int print_json(const json_t *json, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(256 << 20);

	json_write_pretty(json, &text);
	return print_text(buf_text(&text), text.n, err);
}

static void stderr_text(const struct buf *text)
{
	struct err ignored = ERR_INIT;

	fs_write_all(STDERR_FILENO, buf_text(text), text->n, "standard error", &ignored);
}

/*
 * Adds text that may come from anywhere: a release that is verified, a compiler, a mirror. Escape
 * sequences in it could erase what Kiln says and say something else.
 */
static void add_clean(struct buf *out, const char *text)
{
	_cleanup_free_ char *clean = str_clean(str_of(text));

	buf_add_str(out, clean);
}

/* Where progress is JSON lines, so is what is said between them. */
static void say(struct cli *cli, const char *prefix, const struct buf *line)
{
	_cleanup_buf_ struct buf text = BUF_INIT(256 << 10);

	working_hide(cli);
	if (str_eq(cli->progress, "json")) {
		_cleanup_json_ json_t *json =
			json_pack("{s:s,s:s,s:o}", "schema", "kiln.events/1", "event", "message",
		                  "text", json_any_text(buf_text(line)));

		json_write_canonical(json, &text);
	} else {
		buf_add_str(&text, prefix);
		add_clean(&text, buf_text(line));
	}
	buf_add_char(&text, '\n');
	keep(cli, STDERR_FILENO, buf_text(&text), text.n);
	stderr_text(&text);
}

void print_note(struct cli *cli, const char *fmt, ...)
{
	_cleanup_buf_ struct buf line = BUF_INIT(64 << 10);
	va_list ap;

	va_start(ap, fmt);
	buf_fmtv(&line, fmt, ap);
	va_end(ap);
	say(cli, "", &line);
}

void print_err(const struct err *err, bool colour)
{
	_cleanup_buf_ struct buf text = BUF_INIT(64 << 10);

	buf_fmt(&text, "%skiln:%s ", colour ? "\033[31m" : "", colour ? "\033[0m" : "");
	add_clean(&text, err->cause);
	if (err->trail[0]) {
		buf_add_str(&text, "\n  ");
		add_clean(&text, err->trail);
	}
	if (err->hint[0]) {
		buf_add_str(&text, "\n  → ");
		add_clean(&text, err->hint);
	}
	buf_add_char(&text, '\n');
	stderr_text(&text);
}

void print_log(struct log *log, enum log_level level, const char *line)
{
	struct cli *cli = (struct cli *)((char *)log - offsetof(struct cli, log));
	_cleanup_buf_ struct buf text = BUF_INIT(64 << 10);

	if (level == LOG_DEBUG)
		return;
	buf_add_str(&text, line);
	say(cli, level == LOG_WARN ? "kiln: warning: " : "  ", &text);
}
