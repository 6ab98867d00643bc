#ifndef KILN_REPORT_PROGRESS_H
#define KILN_REPORT_PROGRESS_H

#include <stdbool.h>

#include "engine/events.h"

/*
 * What a run looks like while it goes on. Two sinks: plain lines (what starts, ends, was cached,
 * how long it took), and a board for terminals (a row per target, redrawn in place). A run that
 * finds everything cached shows nothing: its summary says so in one line. Text goes to
 * `write`; nothing is printed here.
 */
struct progress_output {
	void (*write)(struct progress_output *output, const char *text, size_t n);
	/* Of the terminal; the owner keeps them up to date before each event. */
	int columns, rows; /* 0: not known */
	bool rewraps;      /* it wraps lines anew when it becomes narrower */
	bool away;         /* somebody else uses it: nothing is drawn */
	bool colour;
	bool utf8;       /* it shows more than ASCII */
	bool marks;      /* signs may stand for words: a board that shows more than ASCII */
	int64_t pace_us; /* least time between two drawings; 0: each event is shown at once */
	/* What is built, in a few words each ("fgrep 1.4.0", "3 targets"), ended by NULL; NULL: not
	 * said. */
	const char *const *about;
	/* Words that bring another command to the same recipe ("-C", DIR, …, RECIPE), ended by
	 * NULL; NULL: none are needed. */
	const char *const *again;
};

struct progress;

/*
 * One shape of progress: how --progress calls it, and how it is made. Each is an event sink that
 * writes whole lines only, holds nothing back once the run has ended, and shows nothing that moves a
 * cursor but its own.
 */
struct progress_shape {
	const char *name;
	struct progress *(*make)(struct progress_output *output);
};

/* "tty" (the board), "plain", "json" (one JSON object a line, schema "kiln.events/1") and "trace" (an
 * array in the Trace Event Format, for Perfetto), ended by an entry without a name. */
extern const struct progress_shape progress_shapes[];

/* The shape of that name; NULL where there is none. */
struct progress *progress_new(const char *name, struct progress_output *output);
struct progress *progress_free(struct progress *progress);
struct event_sink *progress_sink(struct progress *progress);

/* "0:41", "12:05", "1:02:03": how long something goes on, or will. */
const char *progress_clock(int64_t us, char text[16]);

/* "0.42 s", "12.3 s", "2m14s", "1h02m": how long something took. */
const char *progress_duration(int64_t us, char text[16]);

#endif
