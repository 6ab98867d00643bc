#ifndef KILN_CLI_HELP_H
#define KILN_CLI_HELP_H

#include "base/buf.h"
#include "cli/command.h"

/* `kiln --help`: fits a screen, the five commands that a newcomer needs first. */
void help_overview(struct buf *text);
/* `kiln COMMAND --help`. */
void help_command(const struct command *command, struct buf *text);

#endif
