/*
 * The profiler probe. `perf record -e cycles` falls back to a software clock in silence where there
 * is no hardware counter, and BOLT makes such a profile into a slower program: so the kernel is
 * asked for the real thing.
 */
#include "profile/probe.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_branch_stacks(void)
{
	struct perf_event_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.size = sizeof(attr);
	attr.type = PERF_TYPE_HARDWARE;
	attr.config = PERF_COUNT_HW_CPU_CYCLES;
	attr.sample_period = 1000003;
	attr.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_BRANCH_STACK;
	attr.branch_sample_type = PERF_SAMPLE_BRANCH_USER | PERF_SAMPLE_BRANCH_ANY;
	attr.exclude_kernel = 1;
	attr.exclude_hv = 1;
	attr.disabled = 1;
	return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

const char *profiler_sentence(int fault)
{
	switch (fault) {
	case 0:
		return "branch stacks can be sampled";
	case EACCES:
	case EPERM:
		return "no samples: the kernel forbids them (perf_event_paranoid, or a container's "
		       "filter)";
	case EOPNOTSUPP:
		return "no samples: this processor or virtual machine has no branch stacks";
	case ENOENT:
		return "no samples: there are no hardware counters here";
	default:
		return "no samples: branch stacks cannot be taken here";
	}
}

bool profiler_probe(const char **ret_sentence)
{
	int fd = open_branch_stacks();

	*ret_sentence = profiler_sentence(fd >= 0 ? 0 : errno);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}
