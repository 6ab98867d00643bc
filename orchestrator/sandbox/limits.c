/*
 * Resource limits leak into builds (a configure script prints `ulimit -n`, getconf ARG_MAX follows
 * the stack limit), so every one of them has one value on every machine that allows it.
 */
#include "sandbox/limits.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

struct fixed {
	int resource;
	rlim_t soft, hard;
};

static const struct fixed fixed[] = {
	{ RLIMIT_CORE, 0, 0 },
	{ RLIMIT_CPU, RLIM_INFINITY, RLIM_INFINITY },
	{ RLIMIT_FSIZE, RLIM_INFINITY, RLIM_INFINITY },
	{ RLIMIT_DATA, RLIM_INFINITY, RLIM_INFINITY },
	{ RLIMIT_RSS, RLIM_INFINITY, RLIM_INFINITY },
	{ RLIMIT_AS, RLIM_INFINITY, RLIM_INFINITY },
	{ RLIMIT_STACK, 8u << 20, 64u << 20 },
	{ RLIMIT_NOFILE, 4096, 4096 },
	{ RLIMIT_NPROC, 8192, 8192 },
	{ RLIMIT_MEMLOCK, 64u << 10, 64u << 10 },
	{ RLIMIT_LOCKS, RLIM_INFINITY, RLIM_INFINITY },
	{ RLIMIT_SIGPENDING, 1024, 1024 },
	{ RLIMIT_MSGQUEUE, 819200, 819200 },
	{ RLIMIT_NICE, 0, 0 },
	{ RLIMIT_RTPRIO, 0, 0 },
	{ RLIMIT_RTTIME, RLIM_INFINITY, RLIM_INFINITY },
};

static rlim_t least(rlim_t a, rlim_t b)
{
	return a < b ? a : b; /* RLIM_INFINITY is the largest */
}

/* A machine that is out of memory ends a stage before Kiln, or before what the person works with; who
 * is worse off already stays so. */
static void be_first_to_go(void)
{
	static const char score[] = "500";
	int fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
	char now[16] = "";

	if (fd < 0)
		return;
	if (read(fd, now, sizeof(now) - 1) > 0 && strtol(now, NULL, 10) < 500)
		(void)!pwrite(fd, score, sizeof(score) - 1, 0);
	close(fd);
}

void sandbox_fix_limits(bool fixed_addresses)
{
	for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
		struct rlimit now, limit;

		if (getrlimit((__rlimit_resource_t)fixed[i].resource, &now) < 0)
			continue;
		limit.rlim_max = least(fixed[i].hard, now.rlim_max);
		limit.rlim_cur = least(fixed[i].soft, limit.rlim_max);
		setrlimit((__rlimit_resource_t)fixed[i].resource, &limit);
	}
	personality(fixed_addresses ? PER_LINUX | ADDR_NO_RANDOMIZE : PER_LINUX);
	umask(022);
	be_first_to_go();
}
