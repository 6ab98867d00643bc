/* kiln completion: the script that teaches a shell to complete kiln's command lines. */
#include <string.h>

#include "base/str.h"
#include "cli/command.h"
#include "cli/print.h"
#include "cli/shells.h"

static int run(struct cli *cli, const struct command_args *args, struct err *err)
{
	const char *shell = args->operands[0], *near;

	(void)cli;
	for (size_t i = 0; shell_names[i]; i++)
		if (str_eq(shell_names[i], shell))
			return print_text(shell_scripts[i], strlen(shell_scripts[i]), err);
	near = str_nearest(shell, shell_names);
	err_set(err, ERR_USAGE,
	        "completion: there is no script for \"%s\", only for bash, fish and zsh%s%s%s",
	        shell, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	return err_hint(err, "`kiln completion bash` prints it for bash");
}

const struct command cmd_completion = {
	.name = "completion",
	.summary = "print the script that completes command lines in a shell",
	.operands = "SHELL",
	.help = "SHELL is bash, fish or zsh. `make install` puts the scripts where the shells find them; to\n"
		"try one in the shell that runs:\n"
		"\n"
		"  bash   . <(kiln completion bash)\n"
		"  fish   kiln completion fish | source\n"
		"  zsh    . <(kiln completion zsh)\n"
		"\n"
		"The script asks the program for commands, options, files, targets, variants and stages:\n"
		"it never needs to be made anew.",
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
