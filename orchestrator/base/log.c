/* Formatting for the log sink, and the stations of what takes long. */
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

static void tell(struct work *work, enum work_phase phase)
{
	struct log *log = work->log;

	if (log && log->work)
		log->work(log, phase, work);
	else if (phase == WORK_BEGINS)
		log_say(log, LOG_NOTE, "%s", work->what);
}

void work_begin(struct work *work, struct log *log, const char *fmt, ...)
{
	va_list ap;

	work->log = log;
	work->bytes = work->total = 0;
	va_start(ap, fmt);
	vsnprintf(work->what, sizeof(work->what), fmt, ap);
	va_end(ap);
	tell(work, WORK_BEGINS);
}

void work_goes_on(struct work *work)
{
	if (work)
		tell(work, WORK_GOES_ON);
}

void work_tick(void *work)
{
	work_goes_on(work);
}

void work_end(struct work *work, int rc)
{
	tell(work, rc < 0 ? WORK_FAILED : WORK_DONE);
}
