/* Waits by signals alone: it holds no descriptor that somebody waits for the end of. */
#include "host/keeper.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host/failpoint.h"
#include "host/process.h"

enum { AGAIN_MS = 2 }; /* between two looks at what was killed */

/* Takes who has ended; false when nobody is left. */
static bool reap(pid_t child, bool *ended, int *status)
{
	pid_t pid;
	int one;

	while ((pid = waitpid(-1, &one, WNOHANG)) > 0)
		if (pid == child) {
			*ended = true;
			*status = one;
		}
	return pid == 0;
}

static void keep_watch(pid_t child, const sigset_t *set) __attribute__((noreturn));
static void keep_watch(pid_t child, const sigset_t *set)
{
	const struct timespec again = { .tv_nsec = AGAIN_MS * 1000000L };
	bool ended = false, killing = false;
	int status = 0;

	process_close_fds(NULL, 0);
	while (reap(child, &ended, &status)) {
		killing |= ended;
		if (killing)
			process_kill_others(NULL, 0);
		if (sigtimedwait(set, NULL, killing ? &again : NULL) == SIGTERM)
			killing = true;
	}
	_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

int keeper_fork(pid_t parent)
{
	sigset_t set;
	pid_t pid;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	if (!process_signal_with_parent(parent, SIGTERM))
		_exit(1);
	pid = failpoint("keeper-fork") ? -1 : fork();
	if (pid > 0)
		keep_watch(pid, &set);
	prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	if (pid == 0)
		setsid();
	return pid < 0 ? -1 : 0;
}
