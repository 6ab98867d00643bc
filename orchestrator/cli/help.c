/* Help from the command table: what is documented is what is there. */
#include "cli/help.h"

#include "base/str.h"
#include "cli/args.h"

static const char *const first_commands[] = { "release", "build", "plan", "verify", "lock", NULL };

static bool is_first(const char *name)
{
	for (size_t i = 0; first_commands[i]; i++)
		if (str_eq(first_commands[i], name))
			return true;
	return false;
}

static void add_commands(struct buf *text, bool first)
{
	for (size_t i = 0; commands[i]; i++)
		if (is_first(commands[i]->name) == first)
			buf_fmt(text, "  %-14s %s\n", commands[i]->name, commands[i]->summary);
}

void help_overview(struct buf *text)
{
	buf_add_str(text, "Kiln turns source into the best release it can be: built in pinned\n"
	                  "containers, profile-optimised, reproducible, signed.\n\n"
	                  "usage: kiln COMMAND [OPTION]... [OPERAND]...\n\nfirst:\n");
	add_commands(text, true);
	buf_add_str(text, "\nand:\n");
	add_commands(text, false);
	buf_add_str(text,
	            "\n`kiln COMMAND --help` says more. Exit status: 0 done, 1 a stage failed,\n"
	            "2 usage, 3 recipe or pinned content wrong, 4 a gate or verification said\n"
	            "no, 5 the machine lacks something, 6 interrupted, 7 network, disk or store\n"
	            "failed, 70 a bug in Kiln.\n");
}

static void add_options(struct buf *text, const struct command_option *options)
{
	for (size_t i = 0; options && options[i].name; i++) {
		_cleanup_free_ char *name =
			str_fmt("%s%s%s", options[i].name, options[i].argument ? " " : "",
		                options[i].argument ? options[i].argument : "");

		buf_fmt(text, "  %-20s %s%s\n", name, options[i].doc,
		        options[i].many ? " (may be repeated)" : "");
	}
}

void help_command(const struct command *command, struct buf *text)
{
	buf_fmt(text, "usage: kiln %s [OPTION]...%s%s\n\n%s\n", command->name,
	        command->operands[0] ? " " : "", command->operands, command->help);
	if (command->options && command->options[0].name) {
		buf_add_str(text, "\noptions:\n");
		add_options(text, command->options);
	}
	buf_add_str(text, "\ncommon options:\n");
	add_options(text, common_option_table);
}
