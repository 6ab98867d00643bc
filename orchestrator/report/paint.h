#ifndef KILN_REPORT_PAINT_H
#define KILN_REPORT_PAINT_H

/* The one accent colour of everything that is shown, and the way back (ECMA-48, SGR). */
#define PAINT_RED "\033[31m"
#define PAINT_PLAIN "\033[0m"

#endif
