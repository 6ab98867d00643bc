#ifndef KILN_BASE_LOG_H
#define KILN_BASE_LOG_H

#include <stdint.h>

/*
 * Notes and warnings from below, given to whoever prints. Layers below cli never print: they take
 * a `struct log *` (NULL is silent) and say what a user should know.
 */
enum log_level { LOG_DEBUG, LOG_NOTE, LOG_WARN };

struct log;

/* Something that may take long. Its text lives as long as it goes on; one at a time. */
struct work {
	struct log *log;
	char what[240];        /* "downloading 93 packages" */
	uint64_t bytes, total; /* that came, of how many; 0: not known */
};

enum work_phase { WORK_BEGINS, WORK_GOES_ON, WORK_DONE, WORK_FAILED };

struct log {
	void (*say)(struct log *log, enum log_level level, const char *text);
	/* NULL: that it begins is said as a note. */
	void (*work)(struct log *log, enum work_phase phase, const struct work *work);
};

void log_say(struct log *log, enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

void work_begin(struct work *work, struct log *log, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Time passed, or bytes came: as often as one likes. NULL is nothing. */
void work_goes_on(struct work *work);
/* A struct child_spec's tick: the same. */
void work_tick(void *work);
/* Every work that began ends, also by an error (rc < 0). */
void work_end(struct work *work, int rc);

#endif
