/*
 * The user namespace that podman opens, with programs in podman's place: what it is asked, where it
 * works, that nothing stays of it, and what is said when it opens none. Then Kiln's own code, shut in
 * from such a namespace.
 */
#include "unit/support.h"

#include <dirent.h>
#include <linux/nsfs.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/path.h"
#include "base/str.h"
#include "host/process.h"
#include "sandbox/bwrap.h"
#include "sandbox/confine.h"
#include "sandbox/identity.h"
#include "sandbox/userns.h"

struct lab {
	char *dir, *path, *tmp;
	int fd;
};

static struct lab the_lab;

static int setup(void **state)
{
	struct lab *lab = *state = &the_lab;
	_cleanup_free_ char *path = NULL;

	lab->dir = test_folder();
	lab->fd = test_open_dir(lab->dir);
	lab->path = str_dup(getenv("PATH"));
	lab->tmp = getenv("TMPDIR") ? str_dup(getenv("TMPDIR")) : NULL;
	path = str_fmt("%s/bin:%s", lab->dir, lab->path);
	setenv("PATH", path, 1);
	setenv("TMPDIR", lab->dir, 1);
	return 0;
}

static int teardown(void **state)
{
	struct lab *lab = *state;

	setenv("PATH", lab->path, 1);
	if (lab->tmp)
		setenv("TMPDIR", lab->tmp, 1);
	else
		unsetenv("TMPDIR");
	close(lab->fd);
	free(lab->path);
	free(lab->tmp);
	test_folder_remove(lab->dir);
	return 0;
}

/* A shell script in podman's place; $LAB is the folder of the tests. */
static void be_podman(struct lab *lab, const char *script)
{
	_cleanup_free_ char *text = str_fmt("#!/bin/sh\nLAB=%s\n%s", lab->dir, script);

	test_write(lab->fd, "bin/podman", text, 0755);
}

static const char opens[] = "shift; exec unshare -r \"$@\"\n";

static char *read_back(struct lab *lab, const char *name)
{
	struct buf text = BUF_INIT(64 << 10);
	struct err err = ERR_INIT;

	must(fs_read(lab->fd, name, &text, &err), &err);
	return buf_steal(&text);
}

static pid_t read_pid(struct lab *lab, const char *name)
{
	_cleanup_free_ char *text = read_back(lab, name);

	return (pid_t)strtol(text, NULL, 10);
}

/* Killed is enough: whoever is first of this machine may be slow to wait for it. */
static bool runs(pid_t pid)
{
	_cleanup_free_ char *path = str_fmt("/proc/%d/stat", (int)pid);
	_cleanup_buf_ struct buf stat = BUF_INIT(4096);
	struct err ignored = ERR_INIT;
	const char *behind;

	if (fs_read(AT_FDCWD, path, &stat, &ignored) != 0)
		return false;
	behind = strrchr(buf_text(&stat), ')');
	return behind && behind[1] == ' ' && behind[2] != 'Z' && behind[2] != 'X';
}

static bool ends_soon(pid_t pid)
{
	for (int i = 0; i < 300 && runs(pid); i++)
		usleep(10000);
	return !runs(pid);
}

/* Whether there is a folder that podman worked in. */
static bool is_left_in(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	bool is = false;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		is |= strncmp(entry->d_name, "kiln-podman-", 12) == 0;
	closedir(dir);
	return is;
}

static ino_t inode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

/* ---- opening ------------------------------------------------------------------------------- */

static void namespace_outlives_all_that_opened_it(void **state)
{
	struct lab *lab = *state;
	_cleanup_free_ char *said = NULL, *env = NULL;
	struct err err = ERR_INIT;
	int fd = -1, status;
	struct stat st;
	pid_t pid;

	be_podman(lab, "echo \"$@\" >$LAB/said; env >$LAB/env; pwd >>$LAB/env; "
	               "setsid sleep 1000 >/dev/null 2>&1 & echo $! >$LAB/pid\n"
	               "(setsid setsid sleep 1000 & echo $! >$LAB/pid2) >/dev/null 2>&1\n"
	               "shift; exec unshare -r \"$@\"\n");
	must(userns_of_podman(&fd, &err), &err);
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(st.st_ino != inode_of("/proc/self/ns/user"));
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	/* What it left in the background is gone, and the folder that it worked in. */
	assert_false(runs(read_pid(lab, "pid")));
	assert_false(runs(read_pid(lab, "pid2")));
	assert_false(is_left_in(lab->dir));
	said = read_back(lab, "said");
	assert_string_equal(said, "unshare /bin/sh -c echo $$; read -r _\n");
	env = read_back(lab, "env");
	assert_contains(env, "HOME=");
	assert_contains(env, "XDG_RUNTIME_DIR=");
	assert_contains(env, "/kiln-podman-");
	assert_null(strstr(env, "KILN"));
	pid = fork();
	if (pid == 0)
		_exit(userns_join(fd, &err) == 0 && getuid() == 0 ? 42 : 1);
	waitpid(pid, &status, 0);
	assert_int_equal(WEXITSTATUS(status), 42);
	close(fd);
}

static void fails_with(struct lab *lab, const char *script, const char *cause)
{
	struct err err = ERR_INIT;
	int fd = -1;

	be_podman(lab, script);
	assert_int_equal(userns_of_podman(&fd, &err), -1);
	assert_int_equal(fd, -1);
	assert_int_equal(err.code, ERR_MACHINE);
	assert_string_equal(err.cause, cause);
	assert_string_equal(err.hint,
	                    "try `podman unshare true` as this user: it must succeed here");
	assert_false(is_left_in(lab->dir));
}

static void podman_that_opens_none_is_told(void **state)
{
	struct lab *lab = *state;

	fails_with(lab,
	           "echo 'level=warning: something' >&2; echo 'Error: no newuidmap' >&2; exit 125",
	           "podman opens no user namespace here (status 125): Error: no newuidmap");
	fails_with(lab, "exit 3\n",
	           "podman opens no user namespace here (status 3): it says nothing");
	fails_with(lab, "kill -9 $$\n",
	           "podman opens no user namespace here (status 137): it says nothing");
	/* Runs what it is told to, and in no other namespace. */
	fails_with(lab, "shift; exec \"$@\"\n",
	           "podman opens no user namespace here (status 1): it says nothing");
	fails_with(lab, "echo 999999999; exit 0\n",
	           "podman opens no user namespace here (status 0): it says nothing");
	fails_with(lab, "echo not a number; exit 0\n",
	           "podman opens no user namespace here (status 0): it says nothing");
}

static void killed_kiln_leaves_nothing_of_podman(void **state)
{
	struct lab *lab = *state;
	pid_t pid, podman, left;

	be_podman(lab,
	          "setsid sleep 1000 >/dev/null 2>&1 & echo $! >$LAB/left; echo $$ >$LAB/self.new\n"
	          "mv $LAB/self.new $LAB/self; exec sleep 1000\n");
	pid = fork();
	if (pid == 0) {
		struct err err = ERR_INIT;
		int fd;

		process_reset_signals();
		_exit(userns_of_podman(&fd, &err) == 0 ? 0 : 1);
	}
	for (int i = 0; i < 1000 && faccessat(lab->fd, "self", F_OK, 0) < 0; i++)
		usleep(10000);
	podman = read_pid(lab, "self");
	left = read_pid(lab, "left");
	assert_true(runs(podman) && runs(left));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_true(ends_soon(podman) && ends_soon(left));
	for (int i = 0; i < 300 && is_left_in(lab->dir); i++)
		usleep(10000);
	assert_false(is_left_in(lab->dir));
}

static void bubblewrap_starts_from_it(void **state)
{
	struct lab *lab = *state;
	struct err err = ERR_INIT;
	int fd = -1;

	be_podman(lab, opens);
	must(userns_of_podman(&fd, &err), &err);
	must(bwrap_try(fd, &err), &err);
	/* Its words are passed on: what mends a machine for bubblewrap alone is not the point. */
	test_write(lab->fd, "bin/bwrap", "#!/bin/sh\necho 'bwrap: no mount' >&2; exit 1\n", 0755);
	assert_int_equal(bwrap_try(fd, &err), -1);
	assert_int_equal(unlinkat(lab->fd, "bin/bwrap", 0), 0);
	assert_int_equal(err.code, ERR_MACHINE);
	assert_string_equal(err.cause,
	                    "bubblewrap cannot make a sandbox in the user namespace that "
	                    "podman opens: bwrap: no mount");
	close(fd);
}

/* ---- builtins from there --------------------------------------------------------------------- */

static void stay(int told) __attribute__((noreturn));
static void stay(int told)
{
	const uid_t uid = getuid();

	(void)!write(told, &uid, sizeof(uid));
	for (;;)
		pause();
}

/* The first child of a process, from outside. */
static pid_t child_of(pid_t pid)
{
	_cleanup_free_ char *path = str_fmt("/proc/%d/task/%d/children", (int)pid, (int)pid);
	_cleanup_buf_ struct buf text = BUF_INIT(4096);
	struct err err = ERR_INIT;

	must(fs_read(AT_FDCWD, path, &text, &err), &err);
	return (pid_t)strtol(buf_text(&text), NULL, 10);
}

/* Kiln's own code needs the way in as much as bubblewrap: its namespace is made within podman's. */
static void confined_code_starts_from_it(void **state)
{
	struct lab *lab = *state;
	const uid_t uid = getuid();
	pid_t self = getpid(), pid;
	struct err err = ERR_INIT;
	struct stat opened, parent;
	_cleanup_free_ char *path = NULL;
	int fd = -1, ends[2], own, above;
	uid_t told = (uid_t)-1;

	be_podman(lab, opens);
	must(userns_of_podman(&fd, &err), &err);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		process_reset_signals();
		if (sandbox_confine(lab->dir, self, fd, &ends[1], 1, &err) == 0)
			stay(ends[1]);
		fprintf(stderr, "# %s\n", err.cause);
		_exit(99);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &told, sizeof(told)), sizeof(told));
	assert_int_equal(told, uid); /* the same inside as without podman */
	path = str_fmt("/proc/%d/ns/user", (int)child_of(pid));
	own = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(own >= 0);
	above = ioctl(own, NS_GET_PARENT);
	assert_true(above >= 0);
	assert_int_equal(fstat(above, &parent), 0);
	assert_int_equal(fstat(fd, &opened), 0);
	assert_int_equal(parent.st_ino, opened.st_ino);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(read(ends[0], &told, sizeof(told)), 0); /* it ended */
	close(ends[0]);
	close(own);
	close(above);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(namespace_outlives_all_that_opened_it),
		cmocka_unit_test(podman_that_opens_none_is_told),
		cmocka_unit_test(killed_kiln_leaves_nothing_of_podman),
		cmocka_unit_test(bubblewrap_starts_from_it),
		cmocka_unit_test(confined_code_starts_from_it),
	};

	return cmocka_run_group_tests_name("sandbox/userns", tests, setup, teardown);
}
