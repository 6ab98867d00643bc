#ifndef KILN_CLI_SIGNALS_H
#define KILN_CLI_SIGNALS_H

#include <stdbool.h>

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

/* While something is drawn in place: Ctrl-Z is held back, and a new size of the terminal, or coming
 * back to it, ends a sleep (EINTR). A sudden end (SIGQUIT, SIGABRT) gives the cursor back. */
void signals_watch_terminal(void);
/* Whether Ctrl-Z is held back; stops this process, and returns once it goes on. */
bool signals_is_stopping(void);
void signals_stop(void);
/* Undoes signals_watch_terminal. */
void signals_leave_terminal(void);

#endif
