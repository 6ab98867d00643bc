/* Kiln's own code, shut in: what it still reaches, and how it ends. */
#include "unit/support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/path.h"
#include "host/process.h"
#include "sandbox/confine.h"
#include "sandbox/identity.h"

/* The state of every test is the folder. */
static int setup(void **state)
{
	char *dir = test_folder();

	if (sandbox_drops())
		assert_int_equal(chown(dir, sandbox_uid(), sandbox_gid()), 0);
	*state = dir;
	return 0;
}

static int teardown(void **state)
{
	test_folder_remove(*state);
	return 0;
}

/* What the process that was shut in exits with. */
static int confine(const char *dir, int (*look)(int kept), int kept)
{
	pid_t self = getpid(), pid = fork();
	int status;

	if (pid == 0) {
		struct err err = ERR_INIT;

		process_reset_signals(); /* cmocka takes crashes */
		_exit(sandbox_confine(dir, self, 0, &kept, 1, &err) == 0 ? look(kept) : 99);
	}
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static pid_t outside;

/* Each finding has a number of its own. */
static int look_around(int kept)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(9) };
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (getpid() != 1 || getppid() != 0)
		return 1;
	if (kill(outside, 0) == 0 || errno != ESRCH)
		return 2; /* processes outside have no number here */
	for (int fd = 3; fd < 256; fd++)
		if (fd != kept && fd != sock && fcntl(fd, F_GETFD) >= 0)
			return 3;
	if (write(kept, "told", 4) != 4)
		return 4;
	if (connect(sock, (struct sockaddr *)&address, sizeof(address)) == 0 ||
	    errno != ENETUNREACH)
		return 5; /* not even a loopback that is up */
	return 42;
}

/* Whether a socket of that family is what is refused, and nothing else. */
static bool is_no_family(int family)
{
	return socket(family, SOCK_DGRAM, 0) < 0 && errno == EAFNOSUPPORT;
}

static int try_calls(int kept)
{
	(void)kept;
	if (socket(AF_INET, SOCK_DGRAM, 0) < 0 || socket(AF_INET6, SOCK_DGRAM, 0) < 0 ||
	    socket(AF_UNIX, SOCK_DGRAM, 0) < 0 || socket(AF_NETLINK, SOCK_DGRAM, 0) < 0)
		return 1;
	if (!is_no_family(AF_VSOCK) || !is_no_family(AF_PACKET) || !is_no_family(AF_ALG))
		return 2;
	if (syscall(SYS_keyctl, 0, -3, 0) != -1 || errno != ENOSYS)
		return 3;
	if (syscall(SYS_add_key, NULL, NULL, NULL, 0, 0) != -1 || errno != ENOSYS)
		return 4;
	if (syscall(SYS_request_key, NULL, NULL, NULL, 0) != -1 || errno != ENOSYS)
		return 5;
	if (syscall(425, 0, NULL) != -1 || errno != ENOSYS)
		return 6;
#ifdef __x86_64__
	if (syscall(0x40000000 + 39) != -1 || errno != ENOSYS)
		return 7; /* x32's getpid */
#endif
	return 42;
}

#ifdef __x86_64__
static int call_i386(int number, long first, long second)
{
	long rc = number;

	__asm__ volatile("int $0x80"
	                 : "+a"(rc)
	                 : "b"(first), "c"(second), "d"(0L)
	                 : "memory", "r8", "r9", "r10", "r11");
	return (int)rc;
}

/* By the second table of system calls that the kernel has for the same process. */
static int try_i386(int kept)
{
	(void)kept;
	if (call_i386(20, 0, 0) != getpid())
		return 1;
	if (call_i386(359, AF_VSOCK, SOCK_DGRAM) != -EAFNOSUPPORT)
		return 2;
	if (call_i386(359, AF_INET, SOCK_DGRAM) < 0)
		return 3;
	return call_i386(102, 1, 0) == -ENOSYS && call_i386(288, 0, -3) == -ENOSYS ? 42 : 4;
}
#endif

static void calls_past_the_namespaces_are_refused(void **state)
{
	assert_int_equal(confine(*state, try_calls, -1), 42);
#ifdef __x86_64__
	{
		int rc = confine(*state, try_i386, -1);

		if (rc != 128 + SIGSEGV) /* a kernel without it */
			assert_int_equal(rc, 42);
	}
#endif
}

static int crash(int kept)
{
	(void)kept;
	__builtin_trap();
}

static void confined_code_is_alone(void **state)
{
	const char *dir = *state;
	int open_by_chance = dup(0), ends[2];
	char text[8] = "";

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	outside = getpid();
	assert_int_equal(confine(dir, look_around, ends[1]), 42);
	assert_int_equal(read(ends[0], text, sizeof(text)), 4);
	assert_int_equal(confine(dir, crash, ends[1]), 128 + SIGILL);
	close(open_by_chance);
	close(ends[0]);
	close(ends[1]);
}

/* Whoever kills what stands outside has killed what is shut in. */
static void stay(int kept) __attribute__((noreturn));
static void stay(int kept)
{
	(void)!write(kept, "in", 2);
	for (;;)
		pause();
}

static void confined_code_ends_with_its_parent(void **state)
{
	const char *dir = *state;
	pid_t self = getpid(), pid;
	int ends[2];
	char text[8];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		struct err err = ERR_INIT;

		if (sandbox_confine(dir, self, 0, &ends[1], 1, &err) == 0)
			stay(ends[1]);
		_exit(99);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], text, sizeof(text)), 2);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(read(ends[0], text, sizeof(text)), 0);
	close(ends[0]);
}

static void confined_code_reaches_nothing(void **state)
{
	const char *dir = *state;
	pid_t self = getpid(), pid = fork();
	int status;

	if (pid == 0) {
		struct err err = ERR_INIT;
		bool ok = sandbox_confine(dir, self, 0, NULL, 0, &err) == 0 &&
		          getuid() == sandbox_uid() && access("/etc", F_OK) < 0 &&
		          access("/proc", F_OK) < 0 &&
		          open("inside", O_WRONLY | O_CREAT, 0644) >= 0 &&
		          access("/inside", F_OK) == 0 && (getuid() == 0 || setuid(0) < 0) &&
		          chroot("/") < 0;

		_exit(ok ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(WEXITSTATUS(status), 0);
	{
		_cleanup_free_ char *made = path_join(dir, "inside");

		assert_int_equal(unlink(made), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(confined_code_reaches_nothing),
		cmocka_unit_test(confined_code_is_alone),
		cmocka_unit_test(confined_code_ends_with_its_parent),
		cmocka_unit_test(calls_past_the_namespaces_are_refused),
	};

	return cmocka_run_group_tests_name("sandbox/confine", tests, setup, teardown);
}
