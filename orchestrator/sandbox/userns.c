/*
 * Podman is asked once, for a program that says its pid and waits: while it waits, its namespace can be
 * opened. Podman itself keeps a process in the namespace, away from its parents, for its next call; so
 * a keeper stands between, which becomes the parent of whatever podman leaves behind, and ends it all.
 */
#include "sandbox/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/path.h"
#include "base/str.h"
#include "host/child.h"
#include "host/failpoint.h"
#include "host/fs.h"
#include "host/process.h"

enum { PODMAN_MS = 30000, SAID_MAX = 64 << 10 };

struct opening {
	char *dir;            /* podman's home */
	int go[2], told[2];   /* podman's standard input and output */
	int log;              /* a file: what podman says of itself */
	char *home, *runtime; /* variables of its environment */
	char *path, *tmp;
};

/* ---- the keeper ---------------------------------------------------------------------------- */

/* Ends all that is left, also what comes to light by that. */
static void end_all(const struct child *podman)
{
	child_kill(podman);
	do
		process_kill_others(NULL, 0);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR);
}

static void keep(const struct opening *o, pid_t parent) __attribute__((noreturn));
static void keep(const struct opening *o, pid_t parent)
{
	/* Its pid, and it waits until the other end is closed. */
	const char *const argv[] = { "podman", "unshare", "/bin/sh", "-c", "echo $$; read -r _",
		                     NULL };
	const char *const env[] = { o->home, o->runtime, o->path, o->tmp, NULL };
	const struct child_spec spec = { .argv = argv,
		                         .env = env,
		                         .dir = o->dir,
		                         .stdin_fd = o->go[0],
		                         .stdout_fd = o->told[1],
		                         .stderr_fd = o->log };
	struct pollfd p[2] = { { process_pidfd(parent), POLLIN, 0 }, { -1, POLLIN, 0 } };
	struct err err = ERR_INIT;
	struct child podman;
	siginfo_t info = { 0 };
	int code = 127;

	process_reset_signals();
	setsid();
	prctl(PR_SET_NAME, "kiln-keeper", 0, 0, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	process_close_fds((int[]){ o->go[0], o->told[1], o->log, p[0].fd }, 4);
	if (p[0].fd < 0 || getppid() != parent)
		_exit(code);
	if (child_spawn(&spec, &podman, &err) < 0) {
		dprintf(o->log, "%s\n", err.cause);
		_exit(code);
	}
	p[1].fd = podman.pidfd;
	while (poll(p, 2, PODMAN_MS) < 0 && errno == EINTR)
		;
	/* Looked at, not waited for: its process group may not become another's before it is ended. */
	if (p[1].revents && waitid(P_PID, (id_t)podman.pid, &info, WEXITED | WNOWAIT) == 0)
		code = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
	else
		dprintf(o->log, "no answer within %d seconds\n", PODMAN_MS / 1000);
	end_all(&podman);
	if (p[0].revents) /* nobody else will */
		fs_remove_tree(AT_FDCWD, o->dir, &err);
	_exit(code);
}

/* ---- in this process ------------------------------------------------------------------------ */

/* What is left of a line is the last one that says something: warnings come before. */
static int podman_failed(const struct opening *o, int code, struct err *err)
{
	_cleanup_buf_ struct buf said = BUF_INIT(SAID_MAX);
	struct err ignored = ERR_INIT;
	struct str rest, line, last = str_of("it says nothing");

	if (lseek(o->log, 0, SEEK_SET) == 0)
		fs_read_fd(o->log, "what podman said", &said, &ignored);
	for (rest = buf_str(&said); str_cut(&rest, '\n', &line);)
		if (line.n)
			last = line;
	err_set(err, ERR_MACHINE, "podman opens no user namespace here (status %d): %.*s", code,
	        (int)last.n, last.p);
	return err_hint(err, "try `podman unshare true` as this user: it must succeed here");
}

/* The program's pid; 0 when it did not come to that. */
static pid_t read_pid(int fd)
{
	char text[32];
	size_t n = 0;
	ssize_t got;

	do {
		got = read(fd, text + n, sizeof(text) - 1 - n);
		n += got > 0 ? (size_t)got : 0;
	} while ((got > 0 && n < sizeof(text) - 1 && text[n - 1] != '\n') ||
	         (got < 0 && errno == EINTR));
	text[n] = '\0';
	return n && text[n - 1] == '\n' ? (pid_t)strtol(text, NULL, 10) : 0;
}

/* -1 when the process is not in a namespace other than this one's. */
static int open_of(pid_t pid)
{
	_cleanup_free_ char *path = str_fmt("/proc/%d/ns/user", (int)pid);
	struct stat own, its;
	int fd = pid > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	if (fd >= 0 && (stat("/proc/self/ns/user", &own) < 0 || fstat(fd, &its) < 0 ||
	                own.st_ino == its.st_ino))
		fd = fs_close(fd);
	return fd;
}

static int ask(struct opening *o, int *ret_fd, struct err *err)
{
	const pid_t self = getpid();
	int status = 0, fd;
	pid_t keeper;

	child_mind_children();
	keeper = fork();
	if (keeper == 0)
		keep(o, self);
	if (keeper < 0)
		return err_sys(err, ERR_IO, "cannot fork");
	o->go[0] = fs_close(o->go[0]);
	o->told[1] = fs_close(o->told[1]);
	fd = open_of(read_pid(o->told[0]));
	o->go[1] = fs_close(o->go[1]);
	while (waitpid(keeper, &status, 0) < 0 && errno == EINTR)
		;
	if (fd < 0)
		return podman_failed(o, WIFEXITED(status) ? WEXITSTATUS(status) : 127, err);
	*ret_fd = fd;
	return 0;
}

/* Nothing of the user's own podman is used, seen or changed. */
static int make_home(struct opening *o, struct err *err)
{
	const char *tmp = getenv("TMPDIR"), *path = getenv("PATH");
	_cleanup_free_ char *template =
		path_join(tmp && tmp[0] == '/' ? tmp : "/tmp", "kiln-podman-XXXXXX");

	if (!mkdtemp(template))
		return err_sys(err, ERR_IO, "cannot make the folder %s", template);
	o->dir = steal(template);
	o->home = str_fmt("HOME=%s", o->dir);
	o->runtime = str_fmt("XDG_RUNTIME_DIR=%s", o->dir);
	o->tmp = str_fmt("TMPDIR=%s", o->dir);
	o->path = str_fmt("PATH=%s", path ? path : "/usr/bin:/bin");
	if (pipe2(o->go, O_CLOEXEC) < 0 || pipe2(o->told, O_CLOEXEC) < 0)
		return err_sys(err, ERR_IO, "cannot make a pipe");
	o->log = memfd_create("podman", MFD_CLOEXEC);
	return o->log < 0 ? err_sys(err, ERR_IO, "cannot make a file in memory") : 0;
}

static void opening_deinit(struct opening *o)
{
	struct err ignored = ERR_INIT;

	if (o->dir)
		fs_remove_tree(AT_FDCWD, o->dir, &ignored);
	for (int i = 0; i < 2; i++) {
		fs_close(o->go[i]);
		fs_close(o->told[i]);
	}
	fs_close(o->log);
	free(o->dir);
	free(o->home);
	free(o->runtime);
	free(o->tmp);
	free(o->path);
}

int userns_of_podman(int *ret_fd, struct err *err)
{
	struct opening o = { .go = { -1, -1 }, .told = { -1, -1 }, .log = -1 };
	int rc = make_home(&o, err) < 0 ? -1 : ask(&o, ret_fd, err);

	opening_deinit(&o);
	return rc;
}

static int write_proc(const char *path, const char *text, struct err *err)
{
	_cleanup_fd_ int fd = failpoint("userns-map") ? -1 : open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return err_sys(err, ERR_MACHINE, "cannot write %s", path);
	return 0;
}

int userns_map_self(uid_t uid, gid_t gid, uid_t outer_uid, gid_t outer_gid, struct err *err)
{
	char text[64];

	if (write_proc("/proc/self/setgroups", "deny", err) < 0)
		return -1;
	snprintf(text, sizeof(text), "%u %u 1", (unsigned int)uid, (unsigned int)outer_uid);
	if (write_proc("/proc/self/uid_map", text, err) < 0)
		return -1;
	snprintf(text, sizeof(text), "%u %u 1", (unsigned int)gid, (unsigned int)outer_gid);
	return write_proc("/proc/self/gid_map", text, err);
}

int userns_join(int fd, struct err *err)
{
	if (fd && setns(fd, CLONE_NEWUSER) < 0)
		return err_sys(err, ERR_MACHINE, "cannot enter the user namespace");
	return 0;
}
