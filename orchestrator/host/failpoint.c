/* Fail points, compiled in always, so that what is tested is what is shipped. */
#include "host/failpoint.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool failpoint(const char *name)
{
	static unsigned long passed; /* the one count a test asks for; per process */
	const char *spec = getenv("KILN_FAILPOINT");
	const char *colon;
	char *end;
	unsigned long n;

	if (__builtin_expect(!spec, 1))
		return false;
	colon = strchr(spec, ':');
	if (!colon)
		return false;
	if (!(colon == spec + 1 && *spec == '*') &&
	    (strlen(name) != (size_t)(colon - spec) || strncmp(spec, name, strlen(name)) != 0))
		return false;
	n = strtoul(colon + 1, &end, 10);
	if (++passed != n)
		return false;
	if (strcmp(end, ":kill") == 0)
		kill(getpid(), SIGKILL);
	errno = *end == ':' ? (int)strtol(end + 1, NULL, 10) : ENOSPC;
	return true;
}
