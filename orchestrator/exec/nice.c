/* setpriority(2) and /proc/PID/autogroup. */
#include "exec/nice.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "host/fs.h"

void nice_process(int value)
{
	setpriority(PRIO_PROCESS, 0, value);
}

bool nice_session(pid_t leader, int value)
{
	_cleanup_fd_ int fd = -1;
	char text[32];

	if (leader <= 0 || getsid(leader) != leader)
		return false;
	snprintf(text, sizeof(text), "/proc/%d/autogroup", (int)leader);
	fd = open(text, O_WRONLY | O_CLOEXEC);
	return fd < 0 || dprintf(fd, "%d", value) > 0 || errno != EAGAIN;
}
