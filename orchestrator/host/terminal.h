#ifndef KILN_HOST_TERMINAL_H
#define KILN_HOST_TERMINAL_H

#include <stdbool.h>

/* What stands at the other end of a descriptor, and what people asked for by environment. */
bool terminal_is(int fd);
/* A terminal on which the cursor can be moved: TERM is set and not "dumb". */
bool terminal_moves(int fd);
/* Colour wanted by default: a terminal that can, no NO_COLOR, no CI, TERM not "dumb". */
bool terminal_wants_color(int fd);
/* Its size in cells; false where it has none to tell. */
bool terminal_size(int fd, int *ret_columns, int *ret_rows);
/* Whether it shows what is written now: false for a job in the background. */
bool terminal_is_ours(int fd);
/* Whether it wraps lines anew that were written before it became narrower, as most do. */
bool terminal_rewraps(void);
/* Whether text is UTF-8 where this runs: LC_ALL, LC_CTYPE, LANG. */
bool terminal_is_utf8(void);
/* CI is set and neither empty, "0" nor "false". */
bool terminal_is_ci(void);

#endif
