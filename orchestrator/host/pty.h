#ifndef KILN_HOST_PTY_H
#define KILN_HOST_PTY_H

#include <sys/types.h>

#include "base/err.h"

/*
 * A terminal of its own for a program that must not get at the person's: what it can do to a terminal,
 * pushing characters into it for one (TIOCSTI), it does to that one.
 */
int pty_open(int *ret_master, int *ret_slave, struct err *err);
/*
 * Passes everything on between the terminal at descriptors 0 and 1 and a master, keys as they are typed,
 * the size too, until the child behind `pidfd` has ended and all it wrote is shown, or a signal came that
 * ends programs (ERR_INTERRUPTED). The terminal is as before when it returns.
 */
int pty_relay(int master, int pidfd, struct err *err);

#endif
