/* kiln help: the overview, a command's help, and the manual and reference made of the same table. */
#include "base/str.h"
#include "cli/args.h"
#include "cli/help.h"
#include "cli/manual.h"
#include "cli/print.h"

static const struct command_option options[] = {
	{ "--all", NULL, "list every command with a line on each", false },
	{ "--man", "DIR", "write the manual pages into DIR/man1 and DIR/man5", false },
	{ "--markdown", "DIR", "write the reference as Markdown into DIR", false },
	{ 0 },
};

static int add_topic(const char *const *words, struct buf *text, struct err *err)
{
	_cleanup_free_ char *name =
		str_fmt("%s%s%s", words[0], words[1] ? " " : "", words[1] ? words[1] : "");

	for (size_t i = 0; commands[i]; i++) {
		if (str_eq(commands[i]->name, name)) {
			help_command(commands[i], text);
			return 0;
		}
	}
	if (!words[1] && help_group(words[0], text))
		return 0;
	return args_unknown_command(name, err);
}

static int run(struct cli *cli, const struct command_args *args, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(1 << 20);
	const char *man = args_value(args, "--man"), *markdown = args_value(args, "--markdown");

	(void)cli;
	if (man && manual_write_pages(man, err) < 0)
		return -1;
	if (markdown && manual_write_reference(markdown, err) < 0)
		return -1;
	if (args_has(args, "--all"))
		help_all(&text);
	else if (args->n_operands > 0 && add_topic(args->operands, &text, err) < 0)
		return -1;
	else if (args->n_operands == 0 && !man && !markdown)
		help_overview(&text);
	return print_text(buf_text(&text), text.n, err);
}

const struct command cmd_help = {
	.name = "help",
	.summary = "show this overview, or what a command does",
	.operands = "[COMMAND]...",
	.help = "Prints the overview, or what one command does and takes: `kiln help build`,\n"
		"`kiln help image build`; `kiln help image` lists what starts with that word. The manual\n"
		"pages that --man writes are the ones that are installed: kiln(1), one for each command,\n"
		"kiln-recipe(5) and kiln.lock(5).",
	.options = options,
	.max_operands = 2,
	.run = run,
};
