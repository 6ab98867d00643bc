#ifndef KILN_HOST_TERMINAL_H
#define KILN_HOST_TERMINAL_H

#include <stdbool.h>

/* What stands at the other end of a descriptor, and what people asked for by environment. */
bool terminal_is(int fd);
/* A terminal on which the cursor can be moved: TERM is set and not "dumb". */
bool terminal_moves(int fd);
/* Colour wanted by default: a terminal that can, no NO_COLOR, no CI, TERM not "dumb". */
bool terminal_wants_color(int fd);
/* CI is set and neither empty, "0" nor "false". */
bool terminal_is_ci(void);

#endif
