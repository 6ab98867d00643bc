/* A failed stage, in the words of somebody who has to mend it. */
#include "report/failure.h"

#include <string.h>

#include "base/alloc.h"
#include "report/advice.h"
#include "report/paint.h"

enum {
	LINE_MOST = 1000, /* bytes of one line of a failed stage's log */
	SHORT_MOST = 40,  /* bytes of a reason in a few words: "exited with 2" */
};

/* What a build printed, without what would move the cursor or name the window. */
static void add_clean(struct buf *text, struct str line)
{
	_cleanup_free_ char *clean = str_clean(line);

	buf_add_str(text, clean);
}

/* A line that would fill the screen is cut, between two characters; the log has it whole. */
static void add_cut(struct buf *text, struct str line)
{
	size_t n = line.n;

	if (n > LINE_MOST)
		for (n = LINE_MOST; n > 0 && ((unsigned char)line.p[n] & 0xc0) == 0x80;)
			n--;
	add_clean(text, (struct str){ line.p, n });
	if (n < line.n)
		buf_add_str(text, "…");
}

static void add_indented(struct buf *text, const char *lines)
{
	struct str rest = str_of(lines), line;

	while (str_cut(&rest, '\n', &line)) {
		if (line.n == 0 && !rest.p)
			break;
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		buf_add_str(text, "      ");
		add_cut(text, line);
		buf_add_char(text, '\n');
	}
}

/* As one would type it; of an argument of several lines only that it is one. */
static void add_word(struct buf *text, const char *word)
{
	_cleanup_free_ char *quoted = strchr(word, '\n') ? str_dup("'…'") : str_quote(word);

	buf_add_str(text, quoted);
}

static void add_command(struct buf *text, const struct action *action)
{
	if (action->builtin) {
		buf_fmt(text, "    command  kiln:%s\n", action->builtin);
		return;
	}
	buf_add_str(text, "    command ");
	for (size_t i = 0; i < action->n_argv; i++) {
		buf_add_char(text, ' ');
		add_word(text, action->argv[i]);
	}
	buf_add_char(text, '\n');
}

/* Where the words begin that say what a command does: behind "/bin/sh -euc SCRIPT [sh]". */
static size_t telling_word(const struct action *action)
{
	const char *flags = action->n_argv > 2 ? action->argv[1] : "";

	if (!str_ends(action->n_argv ? action->argv[0] : "", "/sh") || flags[0] != '-' ||
	    !str_ends(flags, "c"))
		return 0;
	if (action->n_argv <= 3)
		return 2;
	return str_eq(action->argv[3], "sh") && action->n_argv > 4 ? 4 : 3;
}

void failure_add_brief_command(struct buf *text, const struct action *action)
{
	size_t first = telling_word(action);

	if (action->builtin)
		buf_fmt(text, "kiln:%s", action->builtin);
	if (first == 2 && action->n_argv == 3) {
		add_clean(text, str_of(action->argv[2]));
		return;
	}
	for (size_t i = first; i < action->n_argv; i++) {
		if (i > first)
			buf_add_char(text, ' ');
		add_word(text, action->argv[i]);
	}
}

/* "✗" on a terminal that has it; logs are searched for the word. */
static void add_mark(struct buf *text, const struct progress_output *output)
{
	buf_fmt(text, "  %s%s%s  ", output->colour ? PAINT_RED : "", output->marks ? "✗" : "failed",
	        output->colour ? PAINT_PLAIN : "");
}

/* Another command about the stage, as it is typed from here. */
static void add_way_on(struct buf *text, const struct progress_output *output, const char *command,
                       const char *address)
{
	buf_fmt(text, "    %s", command);
	for (const char *const *word = output->again; word && *word; word++) {
		add_word(text, *word);
		buf_add_char(text, ' ');
	}
	buf_fmt(text, "%s\n", address);
}

void failure_add(struct buf *text, const struct event *e, const struct progress_output *output)
{
	_cleanup_free_ char *why = str_clean(str_of(e->why ? e->why : ""));
	const struct plan_node *node = e->node;
	const struct stage *stage;
	char took[16];

	bug_on(!node);
	stage = node->stage;
	add_mark(text, output);
	progress_duration(e->wall_us, took);
	/* Behind a sentence the duration would read as a part of it. */
	if (strlen(why) > SHORT_MOST)
		buf_fmt(text, "%s   after %s: %s\n\n", stage->address, took, why);
	else
		buf_fmt(text, "%s   %s after %s\n\n", stage->address, why, took);
	add_command(text, &node->lowered->action);
	if (e->tail && e->tail[0])
		add_indented(text, e->tail);
	buf_add_char(text, '\n');
	add_way_on(text, output, "log      kiln log ", stage->address);
	/* What it left is kept where it ran at all. */
	if (!node->lowered->action.builtin && e->exit_code >= 0)
		add_way_on(text, output, "shell    kiln shell --failed ", stage->address);
	buf_fmt(text, "    recipe   %s\n", stage->where);
	advice_add(text, node, e->why, e->tail);
}
