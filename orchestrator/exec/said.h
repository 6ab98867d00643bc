#ifndef KILN_EXEC_SAID_H
#define KILN_EXEC_SAID_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/*
 * The last line that a stage printed, told while it runs to whoever started the runner: at most a few
 * times a second, only when it is another one than before. Nothing here waits: what cannot be told at
 * once is told later or not at all.
 */
enum { SAID_MOST = 512 };

struct said {
	int fd; /* where it is told, as exec/wire.h has it; -1: nobody asked, and nothing is done */
	int file;             /* what something came into since; -1: nothing did */
	int64_t next_us;      /* monotonic: not before that */
	char last[SAID_MOST]; /* told last */
};

/* The pipe no longer makes a writer wait. */
void said_init(struct said *said, int fd);
/* The pipe is as it was: for the reply, which does wait. */
void said_end(struct said *said);
/* Something came into the file. */
static inline void said_more(struct said *said, int file)
{
	if (said->fd >= 0)
		said->file = file;
}
/* At most how long to sleep, where it would be so many milliseconds else (-1: for ever). */
int said_within(const struct said *said, int ms);
/* Tells what there is, when it is time. */
void said_tell(struct said *said);

/* The last line of a text that shows something, as people may see it: without what terminals act on, of
 * a line that was written over the last state. "" where there is none. */
void said_line(struct str text, char ret[SAID_MOST]);

#endif
