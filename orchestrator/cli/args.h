#ifndef KILN_CLI_ARGS_H
#define KILN_CLI_ARGS_H

#include "base/arena.h"
#include "cli/command.h"

/*
 * The command line: `kiln [COMMON] COMMAND [OPTION|OPERAND]…`. Common options may stand anywhere
 * before "--". Values as "--name VALUE" or "--name=VALUE".
 */
struct common_options {
	const char *directory, *store_dir, *color, *progress, *jobs;
	bool json, help, version;
	const char **targets; /* NULL-ended, or NULL */
};

/* What every command takes, for help; ends with name NULL. */
extern const struct command_option common_option_table[];

/* Finds the command (one or two words) and reads its options. `ret_command` is NULL when there is
 * none (help, version or nothing). Unknown commands and options name the nearest: ERR_USAGE. */
int args_parse(struct arena *arena, int argc, char **argv, const struct command **ret_command,
               struct common_options *ret_common, struct command_args *ret_args, struct err *err);

#endif
