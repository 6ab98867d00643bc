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

/* What --color and --progress may be; NULL-ended. */
extern const char *const args_color_words[], *const args_progress_words[];

/* The error for a command that there is not; names the nearest. Returns -1. */
int args_unknown_command(const char *word, struct err *err);

/* Finds the command (one or two words) and reads its options. `ret_command` is NULL when there is
 * none (help, version or nothing; the words that were given are then operands). Unknown commands and options name the nearest: ERR_USAGE. */
int args_parse(struct arena *arena, int argc, char **argv, const struct command **ret_command,
               struct common_options *ret_common, struct command_args *ret_args, struct err *err);

#endif
