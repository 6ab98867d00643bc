/*
 * Spawning. Everything a child could inherit by accident is reset between fork and exec: bwrap
 * never ends under an ignored SIGCHLD, and open descriptors pass straight into a sandbox. A failed
 * exec is reported through a close-on-exec pipe, so "not found" is an error and not exit code 127.
 */
#include "host/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/array.h"
#include "base/path.h"
#include "host/clock.h"
#include "host/failpoint.h"
#include "host/fs.h"
#include "host/keeper.h"
#include "host/process.h"

enum { DEFAULT_OUT = 16 << 20, DEFAULT_LOG = 1 << 20, TICK_MS = 250 };

/* ---- finding programs ---------------------------------------------------------------------- */

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

bool child_find(const char *program, char **ret_path)
{
	const char *path = getenv("PATH");
	struct str rest = str_of(path && *path ? path : "/usr/bin:/bin:/usr/sbin:/sbin");
	struct str dir;

	if (strchr(program, '/')) {
		if (!is_program(program))
			return false;
		*ret_path = str_dup(program);
		return true;
	}
	while (str_cut(&rest, ':', &dir)) {
		_cleanup_free_ char *at = NULL;

		if (dir.n == 0)
			continue;
		at = str_fmt("%.*s/%s", (int)dir.n, dir.p, program);
		if (is_program(at)) {
			*ret_path = steal(at);
			return true;
		}
	}
	return false;
}

/* ---- spawning ------------------------------------------------------------------------------ */

void child_mind_children(void)
{
	struct sigaction action;

	if (sigaction(SIGCHLD, NULL, &action) == 0 &&
	    (action.sa_handler == SIG_IGN || (action.sa_flags & SA_NOCLDWAIT))) {
		action = (struct sigaction){ .sa_handler = SIG_DFL };
		sigaction(SIGCHLD, &action, NULL);
	}
}

const char *const child_passed[] = {
	"PATH",         "HOME",          "USER",           "LOGNAME",    "TMPDIR",
	"TERM",         "LANG",          "LANGUAGE",       "LC_ALL",     "LC_CTYPE",
	"LC_MESSAGES",  "http_proxy",    "https_proxy",    "ftp_proxy",  "all_proxy",
	"no_proxy",     "HTTP_PROXY",    "HTTPS_PROXY",    "FTP_PROXY",  "ALL_PROXY",
	"NO_PROXY",     "SSL_CERT_FILE", "SSL_CERT_DIR",   "APT_CONFIG", "DEBIAN_FRONTEND",
	"ASAN_OPTIONS", "UBSAN_OPTIONS", "KILN_FAILPOINT", "KILN_CLOCK", NULL,
};

static bool is_passed(const char *variable, size_t name_n)
{
	for (const char *const *name = child_passed; *name; name++)
		if (strlen(*name) == name_n && memcmp(*name, variable, name_n) == 0)
			return true;
	return false;
}

/* The environment of the child; the array is the caller's, the strings are borrowed. */
static char **make_env(const struct child_spec *spec)
{
	const char *const *base = spec->env ? spec->env : (const char *const *)environ;
	ARRAY(char *) list = { 0 };

	for (size_t i = 0; base && base[i]; i++) {
		size_t name_n = strcspn(base[i], "=");
		bool left_out = !spec->env && !is_passed(base[i], name_n);

		for (size_t k = 0; spec->set_env && spec->set_env[k]; k++)
			left_out |= strncmp(spec->set_env[k], base[i], name_n + 1) == 0;
		if (!left_out)
			array_push(&list, (char *)base[i]);
	}
	for (size_t k = 0; spec->set_env && spec->set_env[k]; k++)
		array_push(&list, (char *)spec->set_env[k]);
	array_push(&list, NULL);
	return list.v;
}

struct launch {
	const struct child_spec *spec;
	const char *program;
	char **env;
	int in, out, log; /* what becomes 0, 1, 2 */
	int report;       /* errno of a failure is written here */
	pid_t parent;
};

/* Moves a descriptor above 2, so that dup2 onto 0..2 can overwrite nothing that is needed. */
static int above_stdio(int fd)
{
	return fd > 2 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static void launch(struct launch *l) __attribute__((noreturn));
static void launch(struct launch *l)
{
	const struct child_spec *spec = l->spec;
	_cleanup_free_ int *keep = alloc_array(spec->n_keep_fds + 1, sizeof(*keep));
	int sys;

	process_reset_signals();
	setsid();
	umask(spec->umask ? (mode_t)spec->umask : 022);
	l->report = above_stdio(l->report);
	l->in = above_stdio(l->in);
	l->out = above_stdio(l->out);
	l->log = above_stdio(l->log);
	if (spec->userns_fd && setns(spec->userns_fd, CLONE_NEWUSER) < 0)
		goto failed;
	if (dup2(l->in, 0) < 0 || dup2(l->out, 1) < 0 || dup2(l->log, 2) < 0)
		goto failed;
	for (size_t i = 0; i < spec->n_keep_fds; i++) {
		keep[i] = spec->keep_fds[i];
		if (fcntl(keep[i], F_SETFD, 0) < 0)
			goto failed;
	}
	keep[spec->n_keep_fds] = l->report;
	process_close_fds(keep, spec->n_keep_fds + 1);
	if (spec->kept) {
		if (keeper_fork(l->parent) < 0)
			goto failed;
		l->parent = getppid();
	}
	if (spec->dir && chdir(spec->dir) < 0)
		goto failed;
	if (spec->uid &&
	    (setgroups(0, NULL) < 0 || setresgid(spec->gid, spec->gid, spec->gid) < 0 ||
	     setresuid(spec->uid, spec->uid, spec->uid) < 0))
		goto failed;
	if (!process_die_with_parent(l->parent))
		_exit(127);
	if (failpoint("child-exec"))
		goto failed;
	execve(l->program, (char *const *)spec->argv, l->env);
failed:
	sys = errno;
	(void)!write(l->report, &sys, sizeof(sys));
	_exit(127);
}

static int start(struct launch *l, struct child *ret, struct err *err)
{
	_cleanup_fd_ int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	int report[2] = { -1, -1 };
	int sys = 0;
	ssize_t n;
	pid_t pid;

	if (null_fd < 0)
		return err_sys(err, ERR_IO, "cannot open /dev/null");
	if (failpoint("child-pipe") || pipe2(report, O_CLOEXEC) < 0)
		return err_sys(err, ERR_IO, "cannot make a pipe");
	l->in = l->in > 0 ? l->in : null_fd;
	l->out = l->out > 0 ? l->out : null_fd;
	l->log = l->log > 0 ? l->log : null_fd;
	l->report = report[1];
	l->parent = getpid();
	child_mind_children();
	pid = failpoint("child-fork") ? -1 : fork();
	if (pid == 0)
		launch(l);
	if (pid < 0)
		err_sys(err, ERR_IO, "cannot start %s", l->spec->argv[0]);
	close(report[1]);
	if (pid < 0) {
		close(report[0]);
		return -1;
	}
	do
		n = read(report[0], &sys, sizeof(sys));
	while (n < 0 && errno == EINTR);
	close(report[0]);
	if (n == (ssize_t)sizeof(sys)) {
		waitpid(pid, NULL, 0);
		errno = sys;
		return err_sys(err, ERR_IO, "cannot run %s%s%s", l->program,
		               l->spec->dir ? " in " : "", l->spec->dir ? l->spec->dir : "");
	}
	ret->pid = pid;
	ret->kept = l->spec->kept;
	ret->pidfd = failpoint("child-watch") ? -1 : process_pidfd(pid);
	if (ret->pidfd < 0) {
		err_sys(err, ERR_IO, "cannot watch %s", l->program);
		child_kill(ret);
		waitpid(pid, NULL, 0);
		return -1;
	}
	return 0;
}

/* Finds the program, prepares input and environment, starts. */
static int start_spec(const struct child_spec *spec, int out, int log, struct child *ret,
                      struct err *err)
{
	_cleanup_free_ char *program = NULL;
	_cleanup_free_ char **env = NULL;
	_cleanup_fd_ int input = -1;
	struct launch l = { .spec = spec, .in = spec->stdin_fd, .out = out, .log = log };

	if (!child_find(spec->argv[0], &program)) {
		err_set(err, ERR_MACHINE, "cannot find the program %s", spec->argv[0]);
		return err_hint(err, "install the Debian package that has it (`make setup` "
		                     "installs all that Kiln uses)");
	}
	if (spec->input) {
		input = failpoint("child-input") ? -1 : memfd_create("input", MFD_CLOEXEC);
		if (input < 0)
			return err_sys(err, ERR_IO, "cannot keep the input of %s", spec->argv[0]);
		if (fs_write_all(input, spec->input, spec->input_n, "input", err) < 0)
			return -1;
		if (lseek(input, 0, SEEK_SET) < 0)
			return err_sys(err, ERR_IO, "cannot keep the input of %s", spec->argv[0]);
		l.in = input;
	}
	env = make_env(spec);
	l.env = env;
	l.program = program;
	return start(&l, ret, err);
}

int child_spawn(const struct child_spec *spec, struct child *ret, struct err *err)
{
	return start_spec(spec, spec->stdout_fd, spec->stderr_fd, ret, err);
}

void child_kill(const struct child *child)
{
	if (child->kept) {
		kill(child->pid, SIGTERM);
		return;
	}
	kill(-child->pid, SIGKILL);
	kill(child->pid, SIGKILL);
}

int child_wait(struct child *child, int *ret_signal, struct rusage *usage)
{
	struct rusage own;
	int status = 0;
	pid_t rc;

	do
		rc = wait4(child->pid, &status, 0, usage ? usage : &own);
	while (rc < 0 && errno == EINTR);
	child->pidfd = fs_close(child->pidfd);
	bug_on(rc < 0);
	*ret_signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	return *ret_signal ? 128 + *ret_signal : WEXITSTATUS(status);
}

/* ---- running to the end -------------------------------------------------------------------- */

struct capture {
	int fd; /* our end, -1 when at its end or not captured */
	struct buf *buf;
	bool keep_last; /* past the limit the oldest half goes */
};

/* Reads what is there. Returns 0, or 1 when the limit is passed. */
static int capture_some(struct capture *capture)
{
	char chunk[32768];
	ssize_t n = read(capture->fd, chunk, sizeof(chunk));
	struct buf *buf = capture->buf;
	size_t skip = 0;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n <= 0) {
		capture->fd = fs_close(capture->fd);
		return 0;
	}
	if (capture->keep_last && buf->n + (size_t)n > buf->limit) {
		size_t keep = buf->limit / 2 < buf->n ? buf->limit / 2 : buf->n;

		if (keep + (size_t)n > buf->limit)
			keep = 0;
		if (keep)
			memmove(buf->p, buf->p + buf->n - keep, keep);
		buf->n = keep;
		if ((size_t)n > buf->limit)
			skip = (size_t)n - buf->limit;
	}
	buf_add(buf, chunk + skip, (size_t)n - skip);
	return buf->overflow ? 1 : 0;
}

static int left_ms(int64_t deadline)
{
	int64_t left = deadline ? (deadline - clock_mono_us()) / 1000 : -1;

	if (!deadline)
		return -1;
	return left < 0 ? 0 : left > 3600000 ? 3600000 : (int)left + 1;
}

static int wait_ms(const struct child_spec *spec, int64_t deadline)
{
	int left = left_ms(deadline);

	return spec->tick && (left < 0 || left > TICK_MS) ? TICK_MS : left;
}

/* Reads both streams until the child has ended and what it wrote is read. */
static int collect(const struct child_spec *spec, struct child *child, struct capture c[2],
                   struct err *err)
{
	int64_t deadline = spec->timeout_ms ? clock_mono_us() + spec->timeout_ms * 1000 : 0;
	bool ended = false;

	while (!ended) {
		struct pollfd p[3] = { { child->pidfd, POLLIN, 0 },
			               { c[0].fd, POLLIN, 0 },
			               { c[1].fd, POLLIN, 0 } };
		int n = poll(p, 3, wait_ms(spec, deadline));

		if (n < 0 && errno != EINTR)
			return err_sys(err, ERR_IO, "cannot watch %s", spec->argv[0]);
		if (spec->tick)
			spec->tick(spec->tick_data);
		if (n < 0)
			continue;
		for (int i = 0; i < 2; i++)
			if (c[i].fd >= 0 && p[i + 1].revents && capture_some(&c[i]))
				return err_set(err, ERR_IO, "%s wrote more than %zu bytes",
				               spec->argv[0], c[i].buf->limit);
		/* What it wrote before it ended is in the pipes now: drain without waiting for
		 * background processes that hold them open. */
		ended = p[0].revents && !p[1].revents && !p[2].revents;
		if (!ended && deadline && clock_mono_us() >= deadline)
			return err_set(err, ERR_IO, "%s did not end within %g seconds",
			               spec->argv[0], (double)spec->timeout_ms / 1000);
	}
	return 0;
}

static int open_capture(int given, struct capture *capture, int *ret_theirs, struct err *err)
{
	int ends[2];

	capture->fd = -1;
	if (given > 0) {
		*ret_theirs = given;
		return 0;
	}
	if (failpoint("capture-pipe") || pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, ERR_IO, "cannot make a pipe");
	capture->fd = ends[0];
	*ret_theirs = ends[1];
	return 0;
}

static void fill_usage(struct child_result *r, const struct rusage *usage, int64_t began)
{
	r->wall_us = clock_mono_us() - began;
	r->user_us = (int64_t)usage->ru_utime.tv_sec * 1000000 + usage->ru_utime.tv_usec;
	r->system_us = (int64_t)usage->ru_stime.tv_sec * 1000000 + usage->ru_stime.tv_usec;
	r->peak_bytes = (int64_t)usage->ru_maxrss * 1024;
}

static int run_captured(const struct child_spec *spec, struct capture c[2], int out, int log,
                        struct child_result *r, struct err *err)
{
	int64_t began = clock_mono_us();
	struct rusage usage = { 0 };
	struct child child;
	int rc = start_spec(spec, out, log, &child, err);

	if (c[0].fd >= 0)
		close(out);
	if (c[1].fd >= 0)
		close(log);
	if (rc < 0)
		return -1;
	rc = collect(spec, &child, c, err);
	if (rc < 0)
		child_kill(&child);
	r->exit_code = child_wait(&child, &r->signal, &usage);
	fill_usage(r, &usage, began);
	return rc;
}

int child_run(const struct child_spec *spec, struct child_result *ret, struct err *err)
{
	struct child_result r = {
		.out = BUF_INIT(spec->out_limit ? spec->out_limit : DEFAULT_OUT),
		.log = BUF_INIT(spec->log_limit ? spec->log_limit : DEFAULT_LOG),
	};
	struct capture c[2] = { { -1, &r.out, false }, { -1, &r.log, true } };
	int out = -1, log = -1;
	int rc = open_capture(spec->stdout_fd, &c[0], &out, err);

	if (rc == 0) {
		rc = open_capture(spec->stderr_fd, &c[1], &log, err);
		if (rc == 0)
			rc = run_captured(spec, c, out, log, &r, err);
		else if (c[0].fd >= 0)
			close(out);
	}
	fs_close(c[0].fd);
	fs_close(c[1].fd);
	if (rc < 0) {
		child_result_deinit(&r);
		return -1;
	}
	*ret = r;
	return 0;
}

void child_result_deinit(struct child_result *result)
{
	buf_deinit(&result->out);
	buf_deinit(&result->log);
}

/* The last lines of a log, at most about a kilobyte, starting at a line's begin. */
static const char *last_lines(const struct buf *log, size_t *ret_n)
{
	const char *text = buf_text(log);
	size_t n = log->n, from = 0;

	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' '))
		n--;
	if (n > 1200) {
		from = n - 1200;
		while (from < n && text[from - 1] != '\n')
			from++;
		if (from == n)
			from = n - 1200;
	}
	*ret_n = n - from;
	return text + from;
}

int child_fail(const struct child_spec *spec, const struct child_result *result, struct err *err)
{
	size_t n;
	const char *tail = last_lines(result->log.n ? &result->log : &result->out, &n);
	_cleanup_free_ char *how = result->signal ?
	                                   str_fmt("was killed by signal %d", result->signal) :
	                                   str_fmt("ended with status %d", result->exit_code);

	return err_set(err, ERR_IO, "%s %s%s%.*s", spec->argv[0], how, n ? ":\n" : "", (int)n,
	               tail);
}

int child_run_ok(const struct child_spec *spec, struct child_result *ret, struct err *err)
{
	struct child_result r;

	if (child_run(spec, &r, err) < 0)
		return -1;
	if (r.exit_code != 0) {
		child_fail(spec, &r, err);
		child_result_deinit(&r);
		return -1;
	}
	*ret = r;
	return 0;
}
