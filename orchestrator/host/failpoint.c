/* Fail points, compiled in always, so that what is tested is what is shipped. */
#include "host/failpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

/* What a test asks for. A process that asks for nothing has no other state than `armed`. */
static struct {
	bool armed;
	char *name; /* NULL: nothing is to fail */
	unsigned int n;
	char *how;
	struct failpoint_head own, *head; /* head: own, or the file's */
	size_t n_names;                   /* that the file has room for */
} asked;

static void map_record(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	void *map = MAP_FAILED;

	if (fd >= 0 && fstat(fd, &st) == 0 && (size_t)st.st_size >= sizeof(*asked.head))
		map = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd >= 0)
		close(fd);
	if (map == MAP_FAILED)
		return;
	asked.head = map;
	asked.n_names = (size_t)st.st_size / FAILPOINT_NAME - 1;
}

static void disarm(void)
{
	if (asked.n_names > 0)
		munmap(asked.head, (asked.n_names + 1) * FAILPOINT_NAME);
	free(asked.name);
	free(asked.how);
	memset(&asked, 0, sizeof(asked));
}

/* "NAME:N[:HOW]"; what reads otherwise asks for nothing. */
static void read_spec(const char *spec)
{
	const char *colon = strchr(spec, ':');
	char *end;

	if (!colon)
		return;
	asked.n = (unsigned int)strtoul(colon + 1, &end, 10);
	asked.how = str_dup(*end == ':' ? end + 1 : "");
	asked.name = str_dup_n(spec, (size_t)(colon - spec));
}

void failpoint_arm(void)
{
	const char *spec = getenv("KILN_FAILPOINT"), *record = getenv("KILN_FAILPOINT_RECORD");

	disarm();
	if (!spec && !record)
		return;
	asked.armed = true;
	asked.head = &asked.own;
	if (record)
		map_record(record);
	if (spec)
		read_spec(spec);
}

static void note(const char *name)
{
	unsigned int at = __atomic_fetch_add(&asked.head->passed, 1, __ATOMIC_RELAXED);

	if (at < asked.n_names)
		strncpy((char *)asked.head + (at + 1) * FAILPOINT_NAME, name, FAILPOINT_NAME - 1);
}

static void strike(void)
{
	asked.head->struck = getpid();
	if (strcmp(asked.how, "kill") == 0)
		kill(getpid(), SIGKILL);
	while (strcmp(asked.how, "halt") == 0)
		pause();
	errno = asked.how[0] ? (int)strtol(asked.how, NULL, 10) : ENOSPC;
}

static bool pass(const char *name)
{
	note(name);
	if (!asked.name || (strcmp(asked.name, "*") != 0 && strcmp(asked.name, name) != 0))
		return false;
	if (__atomic_add_fetch(&asked.head->matched, 1, __ATOMIC_RELAXED) != asked.n)
		return false;
	strike();
	return true;
}

bool failpoint(const char *name)
{
	return __builtin_expect(asked.armed, 0) && pass(name);
}
