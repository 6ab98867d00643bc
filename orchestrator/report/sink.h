#ifndef KILN_REPORT_SINK_H
#define KILN_REPORT_SINK_H

#include "report/progress.h"

/* What the shapes of progress have in common; of this folder alone. */
enum { TEXT_MOST = 1 << 20 }; /* bytes of what one event may show */

struct progress {
	struct event_sink sink;
	struct progress_output *output;
	void (*deinit)(struct progress *p); /* NULL: nothing of its own */
};

/* `size`: of the struct that begins with struct progress; zeroed beyond it. */
struct progress *progress_alloc(size_t size, struct progress_output *output,
                                void (*event)(struct event_sink *, const struct event *),
                                void (*deinit)(struct progress *));
struct progress *progress_plain_new(struct progress_output *output);
struct progress *progress_board_new(struct progress_output *output);
struct progress *progress_json_new(struct progress_output *output);
struct progress *progress_trace_new(struct progress_output *output);
void progress_put(struct progress *p, const struct buf *text);
/* The line that tells of an EVENT_NOTE. */
void progress_add_note(struct buf *text, const char *address, const char *why);

#endif
