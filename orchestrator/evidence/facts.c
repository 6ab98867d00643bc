/* The one way a time is written into evidence: UTC, whole seconds. */
#include "evidence/facts.h"

#include <stdio.h>
#include <time.h>

char *facts_time(int64_t seconds, char ret[FACTS_TIME_SIZE])
{
	time_t t = (time_t)seconds;
	struct tm tm;

	/* Years of four digits only: RFC 3339 knows no others. */
	if (seconds < 0 || seconds > 253402300799 || !gmtime_r(&t, &tm))
		snprintf(ret, FACTS_TIME_SIZE, "1970-01-01T00:00:00Z");
	else
		strftime(ret, FACTS_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return ret;
}
