/*
 * One contract over the table of runtimes: probe, prepare and enter run a program in its work
 * folder with exactly the environment, streams, limits and identity of the spec. Then one over all
 * that are pinned, for their results are shared: the same walls, the same things to see. A runtime
 * that does not work here is one test that is skipped.
 */
#include "unit/support.h"

#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/array.h"
#include "base/path.h"
#include "fakes/rootfs.h"
#include "sandbox/identity.h"
#include "sandbox/spec.h"

struct lab {
	char *dir, *root, *work;
};

static struct lab the_lab;

/* What each runtime's probe said, in the table's order. */
enum { RUNTIMES_MAX = 8 };
static struct probed {
	bool works;
	int userns_fd;
} probed[RUNTIMES_MAX];

static void probe_all(void)
{
	for (size_t i = 0; sandbox_runtimes[i]; i++) {
		struct err err = ERR_INIT;

		bug_on(i == RUNTIMES_MAX);
		probed[i].works = sandbox_runtimes[i]->probe(&probed[i].userns_fd, &err) == 0;
		if (!probed[i].works)
			fprintf(stderr, "# %s: %s\n", sandbox_runtimes[i]->name, err.cause);
	}
}

static int userns_of(const struct sandbox_runtime *runtime)
{
	for (size_t i = 0; sandbox_runtimes[i]; i++)
		if (sandbox_runtimes[i] == runtime)
			return probed[i].userns_fd;
	return 0;
}

static int setup(void **state)
{
	struct lab *lab = &the_lab;
	struct err err = ERR_INIT;

	(void)state;
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
	struct lab *lab = &the_lab;

	(void)state;
	for (size_t i = 0; sandbox_runtimes[i]; i++)
		if (probed[i].userns_fd)
			close(probed[i].userns_fd);
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
	struct sandbox_common common = { 0 };
	struct err err = ERR_INIT;
	int status;
	pid_t pid;

	spec->runner = getpid();
	spec->common = &common;
	if (runtime->prepare(spec, &err) < 0) {
		dprintf(spec->stderr_fd, "prepare: %s", err.cause);
		_exit(99);
	}
	if (sandbox_load(runtime, spec, &err) < 0) {
		dprintf(spec->stderr_fd, "load: %s", err.cause);
		_exit(98);
	}
	pid = fork();
	if (pid == 0) {
		runtime->enter(spec, &err);
		dprintf(spec->stderr_fd, "enter: %s", err.cause);
		_exit(97);
	}
	waitpid(pid, &status, 0);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 96);
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
		                     .userns_fd = userns_of(runtime),
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

static void runs_a_program_as_the_spec_says(void **state)
{
	const struct sandbox_runtime *runtime = *state;
	struct lab *lab = &the_lab;
	struct ran ran;

	expect(lab, runtime, "echo out; echo err >&2; umask", "out\n0022\n");
	expect(lab, runtime, "ulimit -c; ulimit -s; ulimit -n", "0\n8192\n4096\n");
	expect(lab, runtime, "echo kept > file; cat file; ls -A", "kept\nfile\n");
	expect(lab, runtime, "rm file; ls -A; cat; echo ${USER-none}${HOME-none}", "nonenone\n");
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

static void the_table_is_in_order(void **state)
{
	(void)state;
	for (size_t i = 0; sandbox_runtimes[i]; i++)
		assert_ptr_equal(sandbox_find(sandbox_runtimes[i]->name), sandbox_runtimes[i]);
	assert_null(sandbox_find("nothing"));
	assert_string_equal(sandbox_runtimes[0]->name, "bwrap");
	assert_string_equal(sandbox_runtimes[1]->name, "podman");
	assert_true(sandbox_bwrap.pinned && sandbox_podman.pinned);
	assert_false(sandbox_host.pinned);
}

/* A program that a build made itself is found by the PATH that names its folder. */
static void path_may_lead_into_the_work_folder(void **state)
{
	const struct sandbox_runtime *runtime = *state;
	struct lab *lab = &the_lab;
	int fd = test_open_dir(lab->work);
	struct err err = ERR_INIT;

	test_write(fd, "tools/sh", "#!/bin/sh\necho own\n", 0755);
	the_path = "/build/tools:/usr/bin:/bin";
	expect(lab, runtime, "echo other", "own\n");
	the_path = "/usr/bin:/bin";
	must(fs_remove_tree(fd, "tools", &err), &err);
	close(fd);
}

/* No word is passed on shortened. */
static void too_long_a_word_is_told(void **state)
{
	const struct sandbox_runtime *runtime = *state;
	enum { LONG = (1 << 20) + 10 };
	_cleanup_free_ char *script = alloc(LONG + 1);
	struct ran ran;

	memset(script, ' ', LONG);
	run(&the_lab, runtime, script, false, &ran);
	assert_int_not_equal(ran.status, 0);
	if (!runtime->needs_rootfs)
		assert_contains(ran.log, "an argument or variable is larger than 1048576 bytes");
	ran_free(&ran);
}

/* A signal ignored and a mask set where Kiln was started must not reach the build. */
static void inherited_signals_do_not_matter(void **state)
{
	const struct sandbox_runtime *runtime = *state;
	sigset_t set, old;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, &old);
	expect(&the_lab, runtime, "grep -E 'Sig(Blk|Ign)' /proc/self/status",
	       "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
	sigprocmask(SIG_SETMASK, &old, NULL);
	signal(SIGPIPE, SIG_DFL);
}

/* Under no root may a build run as the user that owns the store, or as root. */
static void root_is_given_up(void **state)
{
	const struct sandbox_runtime *runtime = *state;
	_cleanup_free_ char *uid = str_fmt("%u\n", (unsigned int)sandbox_uid());

	if (runtime->pinned)
		expect(&the_lab, runtime, "id -u; id -g", "1000\n1000\n");
	else
		expect(&the_lab, runtime, "id -u", uid);
	if (sandbox_drops())
		assert_true(sandbox_uid() > 2000200000 && sandbox_uid() == SANDBOX_UID);
}

/* ---- what all pinned ones promise ------------------------------------------------------------ */

static void only_the_image_is_seen(void **state)
{
	const struct sandbox_runtime *runtime = *state;
	struct lab *lab = &the_lab;
	struct ran ran;

	expect(lab, runtime, "ls -A /",
	       "bin\nbuild\ndev\netc\nlib\nlib64\nproc\nroot\ntmp\n"
	       "usr\n");
	expect(lab, runtime, "cat /etc/hostname /etc/resolv.conf; grep -c : /etc/passwd",
	       "builder\n3\n");
	expect(lab, runtime, "stat -c %a /tmp /dev/shm; ls -A /tmp", "1777\n1777\n");
	expect(lab, runtime, "echo $(ls -A /dev)",
	       "core fd full null ptmx pts random shm stderr stdin stdout tty urandom zero\n");
	expect(lab, runtime,
	       "for a in / /bin /dev /etc /usr; do (: >$a/x) 2>/dev/null || echo no; done",
	       "no\nno\nno\nno\nno\n");
	run(lab, runtime, "yes > /tmp/full", false, &ran);
	assert_int_not_equal(ran.status, 0);
	ran_free(&ran);
	run(lab, runtime, "yes > /dev/shm/full", false, &ran);
	assert_int_not_equal(ran.status, 0);
	ran_free(&ran);
	run(lab, runtime, "exit 3", false, &ran);
	assert_contains(ran.told, "exit-code");
	ran_free(&ran);
}

static void the_environment_is_the_specs(void **state)
{
	expect(&the_lab, *state, "perl -e 'print map { qq($_=$ENV{$_}\\n) } sort keys %ENV'",
	       "A=/build/x:/rebuild\nPATH=/usr/bin:/bin\nPWD=/build\n");
}

static void no_privilege_is_left(void **state)
{
	expect(&the_lab, *state,
	       "grep -E '^(Cap...|NoNewPrivs|Seccomp):' /proc/self/status; "
	       "grep -c : /proc/net/dev; cat /proc/self/setgroups",
	       "CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\n"
	       "CapEff:\t0000000000000000\nCapBnd:\t0000000000000000\n"
	       "CapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n1\ndeny\n");
}

/* A stage could else get every capability back, and the kernel's attack surface with it. */
static void no_namespace_is_made_inside(void **state)
{
	_cleanup_free_ char *line =
		str_fmt("perl -e 'print syscall(%d, %d), q( ), $! + 0, qq(\\n)'", SYS_unshare,
	                CLONE_NEWUSER);
	struct statvfs fs;

	/* Where a container shows /proc/sys read-only, bubblewrap cannot forbid it. */
	if (statvfs("/proc/sys/user", &fs) < 0 || (fs.f_flag & ST_RDONLY))
		skip();
	expect(&the_lab, *state, line, "-1 28\n");
}

static void too_large_an_environment_is_told(void **state)
{
	const struct sandbox_runtime *runtime = *state;
	enum { LARGE = (16 << 20) + 10 };
	_cleanup_free_ char *path = alloc(LARGE + 1);
	const char *before = the_path;
	struct ran ran;

	memset(path, '/', LARGE);
	the_path = path;
	run(&the_lab, runtime, "true", false, &ran);
	the_path = before;
	assert_int_equal(ran.status, 98);
	assert_contains(ran.log, "the environment is larger than 16777216 bytes");
	ran_free(&ran);
}

static void image_without_build_is_refused(void **state)
{
	const struct sandbox_runtime *runtime = *state;
	struct lab hollow = { .work = the_lab.work, .root = path_join(the_lab.dir, "hollow") };
	struct err err = ERR_INIT;
	struct ran ran;

	must(fs_make_dirs(AT_FDCWD, hollow.root, 0755, &err), &err);
	run(&hollow, runtime, "true", false, &ran);
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

	expect(&the_lab, *state, line, "97 97 97 38\n");
}

/* ---- one over each ----------------------------------------------------------------------- */

static void does_not_work_here(void **state)
{
	(void)state;
	skip();
}

#define CONTRACT(test) { #test, test, NULL, NULL, NULL }

static const struct CMUnitTest of_all[] = {
	CONTRACT(runs_a_program_as_the_spec_says),
	CONTRACT(path_may_lead_into_the_work_folder),
	CONTRACT(too_long_a_word_is_told),
	CONTRACT(inherited_signals_do_not_matter),
	CONTRACT(root_is_given_up),
};

static const struct CMUnitTest of_pinned[] = {
	CONTRACT(only_the_image_is_seen),
	CONTRACT(the_environment_is_the_specs),
	CONTRACT(no_privilege_is_left),
	CONTRACT(no_namespace_is_made_inside),
	CONTRACT(too_large_an_environment_is_told),
	CONTRACT(image_without_build_is_refused),
	CONTRACT(calls_past_the_namespaces_are_refused),
};

static const struct CMUnitTest of_lacking[] = { CONTRACT(does_not_work_here) };

static const struct CMUnitTest of_none[] = {
	CONTRACT(the_table_is_in_order),
};

struct test_list {
	ARRAY(struct CMUnitTest) tests;
};

static void add_tests(struct test_list *list, const struct CMUnitTest *tests, size_t n,
                      const struct sandbox_runtime *runtime)
{
	for (size_t i = 0; i < n; i++) {
		struct CMUnitTest *test = array_add(&list->tests);

		*test = tests[i];
		test->initial_state = (void *)runtime;
		if (runtime)
			test->name = str_fmt("%s: %s", runtime->name, tests[i].name);
	}
}

int main(void)
{
	struct test_list list = { 0 };

	probe_all();
	for (size_t i = 0; sandbox_runtimes[i]; i++) {
		if (!probed[i].works) {
			add_tests(&list, of_lacking, ARRAY_LEN(of_lacking), sandbox_runtimes[i]);
			continue;
		}
		add_tests(&list, of_all, ARRAY_LEN(of_all), sandbox_runtimes[i]);
		if (sandbox_runtimes[i]->pinned)
			add_tests(&list, of_pinned, ARRAY_LEN(of_pinned), sandbox_runtimes[i]);
	}
	add_tests(&list, of_none, ARRAY_LEN(of_none), NULL);
	return _cmocka_run_group_tests("sandbox/runtimes", list.tests.v, list.tests.n, setup,
	                               teardown);
}
