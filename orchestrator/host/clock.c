/*
 * Wall and monotonic time. One file reads the clock, so that a test can hold the wall clock still
 * from outside and see the same time stamps on every run.
 */
#include "host/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

static int64_t read_us(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t clock_real_us(void)
{
	return read_us(CLOCK_REALTIME);
}

int64_t clock_wall_us(void)
{
	const char *held = getenv("KILN_CLOCK");

	if (held && *held) {
		char *end;
		long long seconds;

		errno = 0;
		seconds = strtoll(held, &end, 10);
		if (!errno && *end == '\0' && seconds >= 0 && seconds < 253402300800)
			return seconds * 1000000;
	}
	return clock_real_us();
}

int64_t clock_mono_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}
