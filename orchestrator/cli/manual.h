#ifndef KILN_CLI_MANUAL_H
#define KILN_CLI_MANUAL_H

#include "base/err.h"

/* Writes the manual pages: DIR/man1/kiln.1, DIR/man1/kiln-COMMAND.1, DIR/man5/kiln-recipe.5,
 * DIR/man5/kiln.lock.5. */
int manual_write_pages(const char *dir, struct err *err);
/* Writes the reference: DIR/commands.md, recipe.md, toolchain.md, container.md. */
int manual_write_reference(const char *dir, struct err *err);

#endif
