/*
 * One contract over the table of runtimes: probe, prepare and enter run a program in its work
 * folder with exactly the environment, streams, limits and identity of the spec. Then what only
 * bubblewrap promises, and the words for machines that cannot.
 */
#include "unit/support.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/array.h"
#include "base/path.h"
#include "fakes/rootfs.h"
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
	assert_contains(ran.log, "an argument or variable is larger than 1048576 bytes");
	ran_free(&ran);
}

static void too_large_an_environment_is_told(void **state)
{
	struct lab *lab = *state;
	enum { LARGE = (16 << 20) + 10 };
	_cleanup_free_ char *path = alloc(LARGE + 1);
	const char *before = the_path;
	struct ran ran;

	memset(path, '/', LARGE);
	the_path = path;
	run(lab, &sandbox_bwrap, "true", false, &ran);
	the_path = before;
	assert_int_equal(ran.status, 98);
	assert_contains(ran.log, "the environment is larger than 16777216 bytes");
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
	assert_contains(ran.log, " has no folder /build");
	ran_free(&ran);
	free(hollow.root);
}

/* A packet socket gives the filter away: without it, it is forbidden, not unknown. */
static void calls_past_the_namespaces_are_refused(void **state)
{
	static const char script[] =
		"perl -e 'for (1, 2, 10, 16) { socket(my $s, $_, 2, 0) or die $_; } "
		"for (17, 38, 40) { socket(my $s, $_, 2, 0) and die $_; print $! + 0, q( ); } "
		"syscall($ENV{KEYCTL}, 0, -3, 0) == -1 or die; print $! + 0, qq(\\n);'";
	_cleanup_free_ char *line = str_fmt("export KEYCTL=%d; %s", SYS_keyctl, script);
	struct lab *lab = *state;

	expect(lab, &sandbox_bwrap, line, "97 97 97 38\n");
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
	assert_contains(err.cause, "this machine forbids sandboxes for plain users: ");
	assert_contains(err.hint, "sysctl -w kernel.unprivileged_userns_clone=1");
	explain(SWITCHES("user/max_user_namespaces", "0\n", NULL), fine, &err);
	assert_contains(err.hint, "sysctl -w user.max_user_namespaces=");
	explain(SWITCHES("user/max_user_namespaces", "1000\n", "kernel/unprivileged_userns_clone",
	                 "1\n", "kernel/apparmor_restrict_unprivileged_userns", "0\n", NULL),
	        fine, &err);
	assert_contains(err.cause, "No permissions to create new namespace");
	assert_contains(err.hint, "seccomp=unconfined");
	explain(SWITCHES(NULL), "bwrap: Unknown option --size\n", &err);
	assert_contains(err.cause, "bubblewrap cannot make a sandbox here: bwrap: Unknown");
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
	assert_contains(err.cause,
	                "bubblewrap, which keeps builds apart from this machine, is not installed");
	assert_contains(err.hint, "apt-get install bubblewrap");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_runtime_keeps_the_contract),
		cmocka_unit_test(path_may_lead_into_the_work_folder),
		cmocka_unit_test(too_long_a_word_is_told),
		cmocka_unit_test(too_large_an_environment_is_told),
		cmocka_unit_test(inherited_signals_do_not_matter),
		cmocka_unit_test(root_is_given_up),
		cmocka_unit_test(bwrap_shows_only_the_image),
		cmocka_unit_test(image_without_build_is_refused),
		cmocka_unit_test(calls_past_the_namespaces_are_refused),
		cmocka_unit_test(reasons_have_one_line_that_mends),
		cmocka_unit_test(missing_bwrap_is_told),
	};

	return cmocka_run_group_tests_name("sandbox/runtimes", tests, setup, teardown);
}
