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
	int columns, rows; /* of the terminal; 0: unknown. The owner updates them on resize. */
	bool colour;
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

/* "tty" (the board), "plain" and "json" (one JSON object a line, schema "kiln.events/1"), ended by
 * an entry without a name. */
extern const struct progress_shape progress_shapes[];

/* The shape of that name; NULL where there is none. */
struct progress *progress_new(const char *name, struct progress_output *output);
struct progress *progress_free(struct progress *progress);
struct event_sink *progress_sink(struct progress *progress);

/* "0.42 s", "12.3 s", "2m14s", "1h02m": how long something took. */
const char *progress_duration(int64_t us, char text[16]);

#endif
