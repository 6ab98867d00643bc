#ifndef KILN_REPORT_PAINT_H
#define KILN_REPORT_PAINT_H

/* The one accent colour of everything that is shown, and the way back (ECMA-48, SGR). */
#define PAINT_RED "\033[31m"
#define PAINT_PLAIN "\033[0m"

#define ERASE_LINE "\033[K"
#define ERASE_BELOW "\033[J"
/* Both from a line's begin, but never from the screen's first cell: tmux takes that for a clearing of
 * the screen, and keeps what stood there among what scrolled away. */
#define ERASE_ALL ERASE_LINE "\033[C" ERASE_BELOW "\r"

#endif
