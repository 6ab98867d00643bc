#ifndef KILN_BASE_LOG_H
#define KILN_BASE_LOG_H

/*
 * Notes and warnings from below, given to whoever prints. Layers below cli never print: they take
 * a `struct log *` (NULL is silent) and say what a user should know.
 */
enum log_level { LOG_DEBUG, LOG_NOTE, LOG_WARN };

struct log {
	void (*say)(struct log *log, enum log_level level, const char *text);
};

void log_say(struct log *log, enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
