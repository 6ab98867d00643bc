/* Forking for an exec, and messages with descriptors between processes. */
#include "unit/support.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/fs.h"
#include "host/message.h"
#include "host/process.h"
#include "host/shared_fs.h"

struct child {
	int fd, seen;
	pid_t parent;
};

static int status_of(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Whatever it does to itself. */
static int changes_itself(void *data)
{
	struct child *child = data;

	close(child->fd);
	signal(SIGUSR1, SIG_IGN);
	umask(077);
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	child->seen = getppid() == child->parent;
	return 7;
}

static void the_child_is_another_process(void **state)
{
	struct child child = { .fd = open("/dev/null", O_RDONLY | O_CLOEXEC), .parent = getpid() };
	struct sigaction action;
	struct rlimit before, after;
	mode_t mask = umask(022);
	pid_t pid;

	(void)state;
	umask(mask);
	getrlimit(RLIMIT_CORE, &before);
	pid = process_fork_to_exec(changes_itself, &child);
	assert_true(pid > 0);
	assert_int_equal(status_of(pid), 7);
	assert_int_equal(fcntl(child.fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(sigaction(SIGUSR1, NULL, &action), 0);
	assert_true(action.sa_handler == SIG_DFL);
	assert_int_equal(umask(mask), mask);
	getrlimit(RLIMIT_CORE, &after);
	assert_true(before.rlim_cur == after.rlim_cur && before.rlim_max == after.rlim_max);
	close(child.fd);
}

static int is_gone(void *data)
{
	(void)data;
	execl("/nonexistent/program", "program", (char *)NULL);
	return errno == ENOENT ? 9 : 8;
}

static int becomes_a_program(void *data)
{
	(void)data;
	execl("/bin/sh", "sh", "-c", "exit 5", (char *)NULL);
	return 1;
}

static void it_execs_or_says_why(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(status_of(process_fork_to_exec(becomes_a_program, NULL)), 5);
		assert_int_equal(status_of(process_fork_to_exec(is_gone, NULL)), 9);
	}
}

static int becomes_another(void *data)
{
	(void)data;
	if (setresgid(4711, 4711, 4711) < 0 || setresuid(4711, 4711, 4711) < 0)
		return 1;
	/* By now this memory, which is root's, is shown to nobody of that name. */
	return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1 ? 2 : 0;
}

static void memory_is_not_shown_to_whom_it_becomes(void **state)
{
	(void)state;
	if (geteuid() != 0 || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 1 ||
	    access("/proc/sys/fs/suid_dumpable", R_OK) < 0)
		skip();
	assert_int_equal(status_of(process_fork_to_exec(becomes_another, NULL)), 0);
	assert_int_equal(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 1);
}

static int is_small(void *data)
{
	(void)data;
	execl("/bin/true", "true", (char *)NULL);
	return 1;
}

static long peak_of(pid_t pid)
{
	struct rusage usage;
	int status;

	assert_int_equal(wait4(pid, &status, 0, &usage), pid);
	return usage.ru_maxrss;
}

static void its_peak_is_not_this_processs(void **state)
{
	enum { LARGE = 200 << 20 };
	char *p;

	(void)state;
	p = malloc(LARGE);
	assert_non_null(p);
	memset(p, 1, LARGE);
	free(p);
	assert_true(peak_of(process_fork_to_exec(is_small, NULL)) < LARGE / 2 / 1024);
}

static void messages_are_whole_and_bring_descriptors(void **state)
{
	char text[16] = "";
	int socks[2], fds[MESSAGE_FDS] = { -1, -1 };
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	size_t n_fds = 9;

	(void)state;
	assert_int_equal(message_pair(socks), 0);
	assert_int_equal(message_send(socks[0], "one", 3, (int[]){ null_fd, null_fd }, 2), 3);
	assert_int_equal(message_send(socks[0], "two", 3, NULL, 0), 3);
	assert_int_equal(message_receive(socks[1], text, sizeof(text), 0, fds, &n_fds), 3);
	assert_memory_equal(text, "one", 3);
	assert_int_equal(n_fds, 2);
	for (size_t i = 0; i < n_fds; i++) {
		assert_int_equal(fcntl(fds[i], F_GETFD), FD_CLOEXEC);
		close(fds[i]);
	}
	assert_int_equal(message_receive(socks[1], text, sizeof(text), 0, fds, &n_fds), 3);
	assert_memory_equal(text, "two", 3);
	assert_int_equal(n_fds, 0);
	assert_int_equal(message_receive(socks[1], text, sizeof(text), MSG_DONTWAIT, fds, &n_fds),
	                 -1);
	assert_int_equal(errno, EAGAIN);
	close(socks[0]);
	assert_int_equal(message_receive(socks[1], text, sizeof(text), 0, fds, &n_fds), 0);
	assert_int_equal(message_send(socks[1], "x", 1, NULL, 0), -1); /* and no SIGPIPE */
	close(socks[1]);
	close(null_fd);
}

/* What can only be this machine's is not called another's. */
static void what_is_this_machines_is_not_shared(void **state)
{
	static const char *const paths[] = { "/proc", "/dev/shm" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		int fd = open(paths[i], O_RDONLY | O_CLOEXEC);

		if (fd >= 0)
			assert_null(shared_fs_name(fd));
		fs_close(fd);
	}
	assert_null(shared_fs_name(-1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_child_is_another_process),
		cmocka_unit_test(it_execs_or_says_why),
		cmocka_unit_test(memory_is_not_shown_to_whom_it_becomes),
		cmocka_unit_test(its_peak_is_not_this_processs),
		cmocka_unit_test(messages_are_whole_and_bring_descriptors),
		cmocka_unit_test(what_is_this_machines_is_not_shared),
	};

	return cmocka_run_group_tests_name("host/process", tests, NULL, NULL);
}
