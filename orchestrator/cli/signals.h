#ifndef KILN_CLI_SIGNALS_H
#define KILN_CLI_SIGNALS_H

#include "base/err.h"

/*
 * SIGINT and SIGTERM. Outside a run of stages they end Kiln at once with status 6 (its children die
 * with it); while stages run they arrive at a descriptor, and the engine ends the run in order.
 */
void signals_default_to_exit(void);
/* Blocks both and gives a descriptor that is readable once one came; -1 with err. */
int signals_hold(int *ret_fd, struct err *err);
/* Undoes signals_hold. */
void signals_release(int fd);

#endif
