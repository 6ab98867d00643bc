#ifndef KILN_CLI_HELP_H
#define KILN_CLI_HELP_H

#include "base/buf.h"
#include "cli/command.h"

/* What Kiln is, in a sentence. */
extern const char help_sentence[];

/* The exit statuses and what each says; ends with text NULL. */
struct help_status {
	int status;
	const char *text;
};
extern const struct help_status help_statuses[];

/* `kiln --help`: fits a screen of 24 lines, the five commands that a newcomer needs first. */
void help_overview(struct buf *text);
/* `kiln help --all`: every command with its summary. */
void help_all(struct buf *text);
/* `kiln help image`: the commands that start with a word. False where there are none. */
bool help_group(const char *word, struct buf *text);
/* `kiln COMMAND --help`. */
void help_command(const struct command *command, struct buf *text);

/* An option as it is typed: "--key SPEC". Caller frees. */
char *help_option_name(const struct command_option *option);

#endif
