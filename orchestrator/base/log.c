/* Formatting for the log sink. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

void log_say(struct log *log, enum log_level level, const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	if (!log || !log->say)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log->say(log, level, text);
}
