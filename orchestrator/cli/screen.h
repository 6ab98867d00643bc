#ifndef KILN_CLI_SCREEN_H
#define KILN_CLI_SCREEN_H

#include "report/progress.h"

/*
 * A terminal under the board: what it is like, before each event. Ctrl-Z waits until the board has
 * taken itself off the screen.
 */
struct screen {
	struct event_sink sink; /* what the engine tells it reaches `board` */
	struct event_sink *board;
	struct progress_output *output;
	int fd;
};

/* Fills the output with what the terminal is like. */
void screen_look(struct progress_output *output, int fd);
/* From now on Ctrl-Z waits, and a change of the terminal's size wakes who waits. */
void screen_init(struct screen *screen, struct event_sink *board, struct progress_output *output,
                 int fd);
void screen_deinit(struct screen *screen);

#endif
