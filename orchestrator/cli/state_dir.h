#ifndef KILN_CLI_STATE_DIR_H
#define KILN_CLI_STATE_DIR_H

#include "base/err.h"

/* $XDG_STATE_HOME/kiln, else ~/.local/state/kiln. The caller frees; ERR_MACHINE without a home. */
int state_dir(char **ret, struct err *err);

#endif
