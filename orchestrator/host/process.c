/*
 * Hygiene of forked processes. close_range exists from Linux 5.9 and its close-on-exec flag from
 * 5.11; older kernels get the loop.
 */
#include "host/process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/array.h"
#include "base/buf.h"
#include "host/fs.h"

/*
 * By the system call: glibc's posix_spawn (make's, a shell's) leaves signals 32 and 33 ignored, and
 * its sigaction() does not touch those two. All zero is the kernel's SIG_DFL on every architecture.
 */
void process_reset_signals(void)
{
	static const char plain[64];
	sigset_t none;

	for (int i = 1; i < _NSIG; i++)
		if (i != SIGKILL && i != SIGSTOP)
			syscall(SYS_rt_sigaction, i, plain, NULL, _NSIG / 8);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

void process_keep_environment(const char *const *names, size_t n)
{
	ARRAY(char *) kept = { 0 };

	for (size_t i = 0; i < n; i++) {
		const char *value = getenv(names[i]);

		array_push(&kept, value ? str_dup(value) : NULL);
	}
	for (char **at = environ; at && *at; at++)
		explicit_bzero(*at, strlen(*at));
	clearenv();
	for (size_t i = 0; i < n; i++) {
		if (kept.v[i])
			setenv(names[i], kept.v[i], 1);
		free(kept.v[i]);
	}
	array_deinit(&kept);
}

bool process_signal_with_parent(pid_t parent, int sig)
{
	prctl(PR_SET_PDEATHSIG, sig, 0, 0, 0);
	return getppid() == parent;
}

bool process_die_with_parent(pid_t parent)
{
	return process_signal_with_parent(parent, SIGKILL);
}

static void kill_unless_kept(pid_t pid, const pid_t *keep, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (keep[i] == pid)
			return;
	kill(pid, SIGKILL);
}

/* Kernels without CONFIG_PROC_CHILDREN: every process says who its parent is. */
static void kill_by_parent(const pid_t *keep, size_t n)
{
	struct fs_names list = { 0 };
	struct err ignored = ERR_INIT;

	if (fs_list(AT_FDCWD, "/proc", &list, &ignored) != 0)
		return;
	for (size_t i = 0; i < list.names.n; i++) {
		_cleanup_buf_ struct buf stat = BUF_INIT(4096);
		_cleanup_free_ char *path = str_fmt("/proc/%s/stat", list.names.v[i]);
		long pid = strtol(list.names.v[i], NULL, 10);
		const char *behind;

		if (pid <= 1 || fs_read(AT_FDCWD, path, &stat, &ignored) != 0 || !stat.n)
			continue;
		/* "PID (NAME) STATE PARENT …"; a name may hold anything, so count from its end. */
		behind = strrchr(stat.p, ')');
		if (behind && strlen(behind) > 4 && strtol(behind + 4, NULL, 10) == getpid())
			kill_unless_kept((pid_t)pid, keep, n);
	}
	fs_names_deinit(&list);
}

void process_kill_others(const pid_t *keep, size_t n)
{
	_cleanup_buf_ struct buf list = BUF_INIT(1 << 20);
	struct err ignored = ERR_INIT;
	char path[64];
	char *at, *end;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	if (fs_read(AT_FDCWD, path, &list, &ignored) != 0) {
		kill_by_parent(keep, n);
		return;
	}
	for (at = list.p; at; at = end) {
		long pid = strtol(at, &end, 10);

		if (end == at)
			return;
		kill_unless_kept((pid_t)pid, keep, n);
	}
}

void process_fill_standard_fds(void)
{
	static const int flags[] = { O_WRONLY, O_RDONLY, O_WRONLY };

	/* The lowest free number is given out first: theirs, from 0 up. */
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", flags[fd]) != fd)
			return;
}

static void close_between(unsigned int first, unsigned int last)
{
	if (first <= last && syscall(SYS_close_range, first, last, 0u) < 0)
		for (unsigned int fd = first; fd <= last && fd < 65536; fd++)
			close((int)fd);
}

void process_close_fds(const int *keep, size_t n)
{
	unsigned int from = 3;

	for (;;) {
		unsigned int next = ~0u;

		for (size_t i = 0; i < n; i++)
			if (keep[i] >= 0 && (unsigned int)keep[i] >= from &&
			    (unsigned int)keep[i] < next)
				next = (unsigned int)keep[i];
		if (next == ~0u)
			break;
		close_between(from, next - 1);
		from = next + 1;
	}
	close_between(from, ~0u);
}

void process_keep_fds(const int *keep, size_t n)
{
	if (syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
		for (int fd = 3; fd < 65536; fd++)
			fcntl(fd, F_SETFD, FD_CLOEXEC);
	for (size_t i = 0; i < n; i++)
		fcntl(keep[i], F_SETFD, 0);
}

/* Kernels without keyrings and containers that forbid them have nothing to leave behind. */
bool process_new_keyring(void)
{
	return syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0 || errno == ENOSYS ||
	       errno == EPERM || errno == EACCES;
}

/* With a page below it that nobody may touch. */
static char *new_stack(void)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *p = mmap(NULL, page + PROCESS_STACK, PROT_READ | PROT_WRITE,
	               MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	if (mprotect(p, page, PROT_NONE) < 0) {
		munmap(p, page + PROCESS_STACK);
		return NULL;
	}
	return p + page;
}

static bool memory_is_shown(void)
{
	_cleanup_fd_ int fd = open("/proc/sys/fs/suid_dumpable", O_RDONLY | O_CLOEXEC);
	char value = '0';

	return fd < 0 || read(fd, &value, 1) != 1 || value == '1';
}

/* The child's peak begins with this process's (getrusage(2)): that of what it has now, not of what it had. */
static void forget_peak(void)
{
	_cleanup_fd_ int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)!write(fd, "5", 1);
}

pid_t process_fork_to_exec(int (*fn)(void *data), void *data)
{
	static enum { UNKNOWN, SHOWN, HIDDEN } memory;
	static char *stack; /* one child at a time */
	const int dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
	pid_t pid;

	if (memory == UNKNOWN)
		memory = memory_is_shown() ? SHOWN : HIDDEN;
	if (memory == SHOWN) {
		pid = fork();
		if (pid == 0)
			_exit(fn(data));
		return pid;
	}
	if (!stack)
		stack = new_stack();
	if (!stack)
		return -1;
	forget_peak();
	pid = clone(fn, stack + PROCESS_STACK, CLONE_VM | CLONE_VFORK | SIGCHLD, data);
	/* Whether a memory may be looked at changes with its process's ids; this one's are what they were. */
	if (dumpable == 1)
		prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	return pid;
}

pid_t process_parent(pid_t pid)
{
	_cleanup_fd_ int fd = -1;
	char path[48], text[512];
	const char *at;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	at = strrchr(text, ')'); /* a name may hold anything */
	return at && at[1] && at[2] ? (pid_t)strtol(at + 3, NULL, 10) : -1;
}

int process_pidfd(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0u);
}

bool process_signal_with(int pidfd, int sig, int value)
{
	siginfo_t info = { .si_signo = sig, .si_code = SI_QUEUE };

	info.si_pid = getpid();
	info.si_uid = getuid();
	info.si_value.sival_int = value;
	return syscall(SYS_pidfd_send_signal, pidfd, sig, &info, 0) == 0;
}
