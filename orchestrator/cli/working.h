#ifndef KILN_CLI_WORKING_H
#define KILN_CLI_WORKING_H

#include "base/log.h"

struct cli;

/*
 * What goes on while there is no board: sources are fetched, an image is made. On a terminal one
 * line, drawn in place, says what, how far, for how long; elsewhere a line says that it begins and
 * one that it is over.
 */
struct working {
	int64_t began_us, drawn_us;
	int cells; /* of the line that stands on the terminal; 0: none does */
};

/* A struct log's work; the log is that of a struct cli. */
void working_show(struct log *log, enum work_phase phase, const struct work *work);
/* Time passed, says somebody who has no work of his own: the line is drawn again. */
void working_tick(struct cli *cli);
/* Takes the line away, for something else to be printed. */
void working_hide(struct cli *cli);

#endif
