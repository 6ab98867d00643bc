/*
 * One contract over the table of runtimes: probe, prepare and enter run a program in its work
 * folder with exactly the environment, streams, limits and identity of the spec. Then what only
 * bubblewrap promises, and the words for machines that cannot.
 */
#include "unit/support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/array.h"
#include "base/path.h"
#include "fakes/rootfs.h"
#include "host/process.h"
#include "sandbox/confine.h"
#include "sandbox/explain.h"
#include "sandbox/identity.h"
#include "sandbox/spec.h"

struct lab {
	char *dir, *root, *work;
};

static struct lab the_lab;

static int setup(void **state)
{
	struct lab *lab = *state = &the_lab;
	struct err err = ERR_INIT;

	umask(022);
	lab->dir = test_folder();
	lab->root = path_join(lab->dir, "root");
	lab->work = path_join(lab->dir, "work");
	must(fake_rootfs_make(lab->root, &err), &err);
	must(fs_make_dirs(AT_FDCWD, lab->work, 0755, &err), &err);
	if (sandbox_drops())
		assert_int_equal(chown(lab->work, sandbox_uid(), sandbox_gid()), 0);
	return 0;
}

static int teardown(void **state)
{
	struct lab *lab = *state;

	test_folder_remove(lab->dir);
	free(lab->root);
	free(lab->work);
	return 0;
}

struct ran {
	int status;
	char *out, *log, *told;
};

static char *take(int fd)
{
	struct buf text = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;

	must(fs_read_fd(fd, "a pipe", &text, &err), &err);
	close(fd);
	return buf_steal(&text);
}

/* In a forked "runner": prepare, then a forked child enters. */
static void runner(const struct sandbox_runtime *runtime, struct sandbox_spec *spec)
{
	struct err err = ERR_INIT;
	int status;
	pid_t pid;

	spec->runner = getpid();
	if (runtime->prepare(spec, &err) < 0) {
		dprintf(spec->stderr_fd, "prepare: %s", err.cause);
		_exit(99);
	}
	pid = fork();
	if (pid == 0) {
		runtime->enter(spec, &err);
		dprintf(spec->stderr_fd, "enter: %s", err.cause);
		_exit(98);
	}
	waitpid(pid, &status, 0);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 97);
}

static const char *the_path = "/usr/bin:/bin";

static void run(struct lab *lab, const struct sandbox_runtime *runtime, const char *script,
                bool fixed, struct ran *ret)
{
	const char *argv[] = { "sh", "-c", script, NULL };
	struct action_env env[] = { { "A", "/build/x:/rebuild" }, { "PATH", the_path } };
	int out[2], log[2], told[2], null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct sandbox_spec spec = { .rootfs = runtime->needs_rootfs ? lab->root : NULL,
		                     .work = lab->work,
		                     .workdir = "",
		                     .argv = argv,
		                     .env = env,
		                     .n_env = 2,
		                     .fixed_addresses = fixed,
		                     .tmp_bytes = 1 << 20,
		                     .stdin_fd = null_fd };
	pid_t pid;
	int status;

	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(log, O_CLOEXEC), 0);
	assert_int_equal(pipe2(told, O_CLOEXEC), 0);
	spec.stdout_fd = out[1];
	spec.stderr_fd = log[1];
	spec.status_fd = told[1];
	pid = fork();
	if (pid == 0)
		runner(runtime, &spec);
	close(out[1]);
	close(log[1]);
	close(told[1]);
	close(null_fd);
	ret->out = take(out[0]);
	ret->log = take(log[0]);
	ret->told = take(told[0]);
	waitpid(pid, &status, 0);
	ret->status = WEXITSTATUS(status);
}

static void ran_free(struct ran *ran)
{
	free(ran->out);
	free(ran->log);
	free(ran->told);
}

static void expect(struct lab *lab, const struct sandbox_runtime *runtime, const char *script,
                   const char *out)
{
	struct ran ran;

	run(lab, runtime, script, false, &ran);
	if (ran.status != 0 || strcmp(ran.out, out) != 0)
		fail_msg("%s: %s: status %d, out '%s', wanted '%s', log '%s'", runtime->name,
		         script, ran.status, ran.out, out, ran.log);
	ran_free(&ran);
}

/* ---- the contract -------------------------------------------------------------------------- */

static void every_runtime_keeps_the_contract(void **state)
{
	struct lab *lab = *state;

	for (size_t i = 0; sandbox_runtimes[i]; i++) {
		const struct sandbox_runtime *runtime = sandbox_runtimes[i];
		struct err err = ERR_INIT;
		struct ran ran;

		assert_ptr_equal(sandbox_find(runtime->name), runtime);
		must(runtime->probe(&err), &err);
		expect(lab, runtime, "echo out; echo err >&2; umask", "out\n0022\n");
		expect(lab, runtime, "ulimit -c; ulimit -s; ulimit -n", "0\n8192\n4096\n");
		expect(lab, runtime, "echo kept > file; cat file; ls -A", "kept\nfile\n");
		expect(lab, runtime, "rm file; ls -A; cat; echo ${USER-none}${HOME-none}",
		       "nonenone\n");
		expect(lab, runtime, "grep -E 'Sig(Blk|Ign)' /proc/self/status",
		       "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
		expect(lab, runtime, "ls /proc/self/fd", "0\n1\n2\n3\n");
		expect(lab, runtime,
		       "mkdir sub; cd /build/sub && echo ok; rm -r /build/sub; "
		       "[ \"$A\" != /rebuild ] && echo ${A#*:}",
		       "ok\n/rebuild\n");
		run(lab, runtime, "echo bad >&2; exit 7", false, &ran);
		assert_int_equal(ran.status, 7);
		assert_string_equal(ran.log, "bad\n");
		assert_string_equal(ran.out, "");
		ran_free(&ran);
	}
	assert_null(sandbox_find("nothing"));
	assert_string_equal(sandbox_runtimes[0]->name, "bwrap");
	assert_true(sandbox_bwrap.pinned);
	assert_false(sandbox_host.pinned);
}

/* A program that a build made itself is found by the PATH that names its folder. */
static void path_may_lead_into_the_work_folder(void **state)
{
	struct lab *lab = *state;
	int fd = test_open_dir(lab->work);
	struct err err = ERR_INIT;

	test_write(fd, "tools/sh", "#!/bin/sh\necho own\n", 0755);
	the_path = "/build/tools:/usr/bin:/bin";
	for (size_t i = 0; sandbox_runtimes[i]; i++)
		expect(lab, sandbox_runtimes[i], "echo other", "own\n");
	the_path = "/usr/bin:/bin";
	must(fs_remove_tree(fd, "tools", &err), &err);
	close(fd);
}

/* No word is passed on shortened. */
static void too_long_a_word_is_told(void **state)
{
	struct lab *lab = *state;
	enum { LONG = (1 << 20) + 10 };
	_cleanup_free_ char *script = alloc(LONG + 1);
	struct ran ran;

	memset(script, ' ', LONG);
	for (size_t i = 0; sandbox_runtimes[i]; i++) {
		run(lab, sandbox_runtimes[i], script, false, &ran);
		assert_int_not_equal(ran.status, 0);
		ran_free(&ran);
	}
	run(lab, &sandbox_host, script, false, &ran);
	assert_contains(ran.log, "larger than 1048576 bytes");
	ran_free(&ran);
}

/* A signal ignored and a mask set where Kiln was started must not reach the build. */
static void inherited_signals_do_not_matter(void **state)
{
	struct lab *lab = *state;
	sigset_t set, old;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, &old);
	for (size_t i = 0; sandbox_runtimes[i]; i++)
		expect(lab, sandbox_runtimes[i], "grep -E 'Sig(Blk|Ign)' /proc/self/status",
		       "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
	sigprocmask(SIG_SETMASK, &old, NULL);
	signal(SIGPIPE, SIG_DFL);
}

/* Under no root may a build run as the user that owns the store, or as root. */
static void root_is_given_up(void **state)
{
	struct lab *lab = *state;
	_cleanup_free_ char *uid = str_fmt("%u\n", (unsigned int)sandbox_uid());

	expect(lab, &sandbox_bwrap, "id -u; id -g", "1000\n1000\n");
	expect(lab, &sandbox_host, "id -u", uid);
	if (sandbox_drops())
		assert_true(sandbox_uid() > 2000200000 && sandbox_uid() == SANDBOX_UID);
}

static void bwrap_shows_only_the_image(void **state)
{
	struct lab *lab = *state;
	struct ran ran;

	expect(lab, &sandbox_bwrap, "ls -A /",
	       "bin\nbuild\ndev\netc\nlib\nlib64\nproc\nroot\ntmp\n"
	       "usr\n");
	expect(lab, &sandbox_bwrap, "cat /etc/hostname /etc/resolv.conf; grep -c : /etc/passwd",
	       "builder\n3\n");
	expect(lab, &sandbox_bwrap, "stat -c %a /tmp /dev/shm; ls -A /tmp", "1777\n1777\n");
	run(lab, &sandbox_bwrap, "yes > /tmp/full", false, &ran);
	assert_int_not_equal(ran.status, 0);
	ran_free(&ran);
	run(lab, &sandbox_bwrap, "yes > /dev/shm/full", false, &ran);
	assert_int_not_equal(ran.status, 0);
	ran_free(&ran);
	run(lab, &sandbox_bwrap, "exit 3", false, &ran);
	assert_contains(ran.told, "exit-code");
	ran_free(&ran);
}

static void image_without_build_is_refused(void **state)
{
	struct lab *lab = *state;
	struct lab hollow = { .work = lab->work, .root = path_join(lab->dir, "hollow") };
	struct err err = ERR_INIT;
	struct ran ran;

	must(fs_make_dirs(AT_FDCWD, hollow.root, 0755, &err), &err);
	run(&hollow, &sandbox_bwrap, "true", false, &ran);
	assert_int_equal(ran.status, 99);
	assert_contains(ran.log, "no folder /build");
	ran_free(&ran);
	free(hollow.root);
}

/* ---- Kiln's own code, shut in --------------------------------------------------------------- */

/* What the process that was shut in exits with. */
static int confine(struct lab *lab, int (*look)(int kept), int kept)
{
	pid_t self = getpid(), pid = fork();
	int status;

	if (pid == 0) {
		struct err err = ERR_INIT;

		process_reset_signals(); /* cmocka takes crashes */
		_exit(sandbox_confine(lab->work, self, &kept, 1, &err) == 0 ? look(kept) : 99);
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

/* A packet socket gives the filter away: without it, it is forbidden, not unknown. */
static void calls_past_the_namespaces_are_refused(void **state)
{
	static const char script[] =
		"perl -e 'for (1, 2, 10, 16) { socket(my $s, $_, 2, 0) or die $_; } "
		"for (17, 38, 40) { socket(my $s, $_, 2, 0) and die $_; print $! + 0, q( ); } "
		"syscall($ENV{KEYCTL}, 0, -3, 0) == -1 or die; print $! + 0, qq(\\n);'";
	_cleanup_free_ char *line = str_fmt("export KEYCTL=%d; %s", SYS_keyctl, script);
	struct lab *lab = *state;

	assert_int_equal(confine(lab, try_calls, -1), 42);
#ifdef __x86_64__
	{
		int rc = confine(lab, try_i386, -1);

		if (rc != 128 + SIGSEGV) /* a kernel without it */
			assert_int_equal(rc, 42);
	}
#endif
	expect(lab, &sandbox_bwrap, line, "97 97 97 38\n");
}

static int crash(int kept)
{
	(void)kept;
	__builtin_trap();
}

static void confined_code_is_alone(void **state)
{
	struct lab *lab = *state;
	int open_by_chance = dup(0), ends[2];
	char text[8] = "";

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	outside = getpid();
	assert_int_equal(confine(lab, look_around, ends[1]), 42);
	assert_int_equal(read(ends[0], text, sizeof(text)), 4);
	assert_int_equal(confine(lab, crash, ends[1]), 128 + SIGILL);
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
	struct lab *lab = *state;
	pid_t self = getpid(), pid;
	int ends[2];
	char text[8];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		struct err err = ERR_INIT;

		if (sandbox_confine(lab->work, self, &ends[1], 1, &err) == 0)
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
	struct lab *lab = *state;
	pid_t self = getpid(), pid = fork();
	int status;

	if (pid == 0) {
		struct err err = ERR_INIT;
		bool ok = sandbox_confine(lab->work, self, NULL, 0, &err) == 0 &&
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
		_cleanup_free_ char *made = path_join(lab->work, "inside");

		assert_int_equal(unlink(made), 0);
	}
}

/* ---- machines that cannot ------------------------------------------------------------------- */

static void explain(const char *const *switches, const char *said, struct err *err)
{
	char *dir = test_folder();
	int fd = test_open_dir(dir);

	*err = ERR_INIT;
	for (size_t i = 0; switches[i]; i += 2)
		test_write(fd, switches[i], switches[i + 1], 0644);
	assert_int_equal(sandbox_explain(fd, said, err), -1);
	assert_int_equal(err->code, ERR_MACHINE);
	assert_int_equal(err_exit_status(err), 5);
	close(fd);
	test_folder_remove(dir);
}

#define SWITCHES(...) ((const char *const[]){ __VA_ARGS__ })

static void reasons_have_one_line_that_mends(void **state)
{
	static const char fine[] = "bwrap: No permissions to create new namespace\n";
	struct err err;

	(void)state;
	explain(SWITCHES("kernel/apparmor_restrict_unprivileged_userns", "1\n", NULL), fine, &err);
	assert_contains(err.hint, "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0");
	explain(SWITCHES("kernel/unprivileged_userns_clone", "0\n", NULL), fine, &err);
	assert_contains(err.hint, "sysctl -w kernel.unprivileged_userns_clone=1");
	explain(SWITCHES("user/max_user_namespaces", "0\n", NULL), fine, &err);
	assert_contains(err.hint, "sysctl -w user.max_user_namespaces=");
	explain(SWITCHES("user/max_user_namespaces", "1000\n", "kernel/unprivileged_userns_clone",
	                 "1\n", "kernel/apparmor_restrict_unprivileged_userns", "0\n", NULL),
	        fine, &err);
	assert_contains(err.cause, "No permissions to create new namespace");
	assert_contains(err.hint, "seccomp=unconfined");
	explain(SWITCHES(NULL), "bwrap: Unknown option --size\n", &err);
	assert_contains(err.hint, "bubblewrap 0.8");
	explain(SWITCHES(NULL), "bwrap: Can't mount proc on /newroot/proc\n", &err);
	assert_contains(err.hint, "systempaths=unconfined");
}

static void missing_bwrap_is_told(void **state)
{
	_cleanup_free_ char *path = str_dup(getenv("PATH"));
	struct err err = ERR_INIT;

	(void)state;
	setenv("PATH", "/nowhere", 1);
	assert_int_equal(sandbox_bwrap.probe(&err), -1);
	setenv("PATH", path, 1);
	assert_int_equal(err.code, ERR_MACHINE);
	assert_contains(err.hint, "apt-get install bubblewrap");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_runtime_keeps_the_contract),
		cmocka_unit_test(path_may_lead_into_the_work_folder),
		cmocka_unit_test(too_long_a_word_is_told),
		cmocka_unit_test(inherited_signals_do_not_matter),
		cmocka_unit_test(root_is_given_up),
		cmocka_unit_test(bwrap_shows_only_the_image),
		cmocka_unit_test(image_without_build_is_refused),
		cmocka_unit_test(confined_code_reaches_nothing),
		cmocka_unit_test(calls_past_the_namespaces_are_refused),
		cmocka_unit_test(confined_code_is_alone),
		cmocka_unit_test(confined_code_ends_with_its_parent),
		cmocka_unit_test(reasons_have_one_line_that_mends),
		cmocka_unit_test(missing_bwrap_is_told),
	};

	return cmocka_run_group_tests_name("sandbox/runtimes", tests, setup, teardown);
}
