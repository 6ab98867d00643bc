/*
 * Forking runners away from the main process. Requests go over a socket pair; the answer to each is
 * the runner's pid with a pidfd and the read end of its reply pipe; what a runner has to say, it says
 * through its pipe.
 *
 * The server is also the last reaper. bubblewrap asks to die with its parent only some time after
 * it was forked and does not look whether the parent is still there, so a runner that is killed in
 * that moment leaves a sandbox behind. Orphans of runners become the server's children; whatever is
 * no runner is killed. For the same reason the server itself is not killed when the main process
 * ends: it is told, has the runners tidy up, kills what is left, and ends.
 */
#include "exec/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "exec/layers.h"
#include "exec/runner.h"
#include "host/child.h"
#include "host/clock.h"
#include "host/failpoint.h"
#include "host/fs.h"
#include "host/process.h"
#include "sandbox/identity.h"

struct runner_server {
	pid_t pid;
	int sock;
	size_t owed; /* answers to requests that were given up: they come before the next one's */
};

/* What the server answers: a pid with two descriptors, or an errno without. */
struct answer {
	pid_t pid;
	int sys;
};

/* How long runners have to stop their stages and tidy up once the main process is gone. */
enum { LAST_GRACE_MS = 400 };

struct serving {
	int sock, signal_fd;
	pid_t parent; /* the main process */
	ARRAY(pid_t) runners;
	struct groups *groups; /* from the first request on */
	bool orphaned;         /* the main process is gone */
};

/* ---- messages with descriptors ------------------------------------------------------------- */

enum { MESSAGE_FDS = 2 };

union control {
	char bytes[CMSG_SPACE(MESSAGE_FDS * sizeof(int))];
	struct cmsghdr align;
};

static ssize_t send_message(int sock, const void *p, size_t n, const int *fds, size_t n_fds)
{
	union control control;
	struct iovec iov = { (void *)p, n };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t sent;

	if (n_fds) {
		struct cmsghdr *cmsg;

		memset(&control, 0, sizeof(control));
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, n_fds * sizeof(int));
	}
	do
		sent = sendmsg(sock, &msg, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent;
}

/* What came of descriptors, close-on-exec, is in fds. */
static ssize_t receive_message(int sock, void *p, size_t n, int fds[MESSAGE_FDS], size_t *ret_n_fds)
{
	union control control;
	struct iovec iov = { p, n };
	struct msghdr msg = { .msg_iov = &iov,
		              .msg_iovlen = 1,
		              .msg_control = control.bytes,
		              .msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *cmsg;
	ssize_t got;

	*ret_n_fds = 0;
	do
		got = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	cmsg = got < 0 ? NULL : CMSG_FIRSTHDR(&msg);
	if (cmsg && cmsg->cmsg_type == SCM_RIGHTS) {
		*ret_n_fds = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(cmsg), *ret_n_fds * sizeof(int));
	}
	return got;
}

/* ---- in the server ------------------------------------------------------------------------- */

static int send_answer(int sock, const struct answer *answer, const int *fds, size_t n_fds)
{
	return failpoint("answer-send") ||
	                       send_message(sock, answer, sizeof(*answer), fds, n_fds) < 0 ?
	               -1 :
	               0;
}

static void become_runner(pid_t server, int reply_fd, struct groups *groups, struct str request,
                          int userns_fd) __attribute__((noreturn));
static void become_runner(pid_t server, int reply_fd, struct groups *groups, struct str request,
                          int userns_fd)
{
	int keep[2 + GROUP_PLACES] = { reply_fd };
	size_t n_keep = 1 + groups_fds(groups, keep + 1);

	if (userns_fd)
		keep[n_keep++] = userns_fd;

	process_reset_signals();
	/* SIGTERM: it ends what it started before it ends itself, which SIGKILL would leave to nobody. */
	if (!process_signal_with_parent(server, SIGTERM))
		_exit(1);
	prctl(PR_SET_NAME, "kiln-runner", 0, 0, 0);
	process_new_keyring();
	process_close_fds(keep, n_keep);
	_exit(runner_main(request, userns_fd, reply_fd, groups));
}

/* -1: the main process cannot be told. */
static int serve_request(struct serving *serving, struct str request, int userns_fd)
{
	int sock = serving->sock;
	pid_t server = getpid();
	struct answer answer = { 0 };
	int pipe_fds[2] = { -1, -1 };
	int fds[2] = { -1, -1 };
	int rc;

	if (!serving->groups)
		serving->groups = groups_open("", serving->parent);
	if (failpoint("runner-pipe") || pipe2(pipe_fds, O_CLOEXEC) < 0) {
		answer.sys = errno;
		return send_answer(sock, &answer, NULL, 0);
	}
	answer.pid = failpoint("runner-fork") ? -1 : fork();
	if (answer.pid == 0)
		become_runner(server, pipe_fds[1], serving->groups, request, userns_fd);
	if (answer.pid > 0) {
		fds[0] = failpoint("runner-pidfd") ? -1 : process_pidfd(answer.pid);
		fds[1] = pipe_fds[0];
	}
	if (answer.pid < 0 || fds[0] < 0) {
		answer.sys = errno;
		if (answer.pid > 0)
			kill(answer.pid, SIGKILL);
		answer.pid = 0;
	}
	if (answer.pid > 0)
		array_push(&serving->runners, answer.pid);
	rc = send_answer(sock, &answer, fds, answer.pid > 0 ? 2 : 0);
	fs_close(fds[0]);
	fs_close(pipe_fds[0]);
	fs_close(pipe_fds[1]);
	return rc;
}

static void forget(struct serving *serving, pid_t pid)
{
	for (size_t i = 0; i < serving->runners.n; i++)
		if (serving->runners.v[i] == pid)
			serving->runners.v[i] = serving->runners.v[--serving->runners.n];
}

/* Waits for whoever ended and kills whoever is no runner. False: there is no child at all. */
static bool reap(struct serving *serving)
{
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
		forget(serving, pid);
	if (pid < 0)
		return false;
	process_kill_others(serving->runners.v, serving->runners.n);
	return true;
}

static void read_signals(struct serving *serving)
{
	struct signalfd_siginfo info;

	while (read(serving->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (info.ssi_signo == SIGTERM)
			serving->orphaned = true;
	reap(serving);
}

/* Nothing of what was started may outlive the server. */
static void end_all(struct serving *serving) __attribute__((noreturn));
static void end_all(struct serving *serving)
{
	int64_t deadline = clock_mono_us() + LAST_GRACE_MS * 1000;

	for (size_t i = 0; i < serving->runners.n; i++)
		kill(serving->runners.v[i], SIGTERM);
	while (reap(serving)) {
		if (clock_mono_us() >= deadline)
			serving->runners.n = 0;
		usleep(2000);
	}
	groups_close(serving->groups);
	_exit(0);
}

static void serve(struct serving *serving) __attribute__((noreturn));
static void serve(struct serving *serving)
{
	static char request[WIRE_REQUEST_MAX];

	while (!serving->orphaned) {
		struct pollfd p[2] = { { serving->sock, POLLIN, 0 },
			               { serving->signal_fd, POLLIN, 0 } };
		int fds[MESSAGE_FDS], rc;
		size_t n_fds;
		ssize_t n;

		if (poll(p, 2, -1) < 0 && errno != EINTR)
			break;
		if (p[1].revents)
			read_signals(serving);
		if (!p[0].revents)
			continue;
		n = failpoint("request-receive") ?
		            -1 :
		            receive_message(serving->sock, request, sizeof(request), fds, &n_fds);
		if (n <= 0)
			break;
		rc = serve_request(serving, (struct str){ request, (size_t)n }, n_fds ? fds[0] : 0);
		for (size_t i = 0; i < n_fds; i++)
			close(fds[i]);
		if (rc < 0)
			break;
	}
	end_all(serving);
}

static int take_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* What runners look at: where programs are, and what tests hold still. */
static const char *const kept_environment[] = { "PATH",         "TMPDIR",       "KILN_CLOCK",
	                                        LAYERS_FROM,    "ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS" };

static void become_server(pid_t parent, int sock) __attribute__((noreturn));
static void become_server(pid_t parent, int sock)
{
	struct serving serving = { .sock = sock, .parent = parent };
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	process_keep_environment(kept_environment, ARRAY_LEN(kept_environment));
	process_reset_signals();
	setsid();
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	process_close_fds((int[]){ sock, null_fd }, 2);
	serving.signal_fd = failpoint("server-signals") ? -1 : take_signals();
	if (null_fd < 0 || serving.signal_fd < 0 || chdir("/") < 0 ||
	    !process_signal_with_parent(parent, SIGTERM))
		_exit(1);
	prctl(PR_SET_NAME, "kiln-server", 0, 0, 0);
	for (int fd = 0; fd < 3; fd++)
		if (fd != sock)
			dup2(null_fd, fd);
	/* What costs something the first time is paid here, once for all runners. */
	(void)sandbox_drops();
	serve(&serving);
}

/* ---- in the main process ------------------------------------------------------------------- */

int runner_server_start(struct runner_server **ret, struct err *err)
{
	struct runner_server *server;
	pid_t parent = getpid();
	int socks[2];
	pid_t pid;

	child_mind_children();
	if (failpoint("server-socket") ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks) < 0)
		return err_sys(err, ERR_IO, "cannot make a socket pair");
	/* Kiln may have been started with a standard stream closed. */
	for (int i = 0; i < 2; i++) {
		int high = fcntl(socks[i], F_DUPFD_CLOEXEC, 3);

		close(socks[i]);
		socks[i] = high;
	}
	pid = failpoint("server-fork") ? -1 : fork();
	if (pid == 0)
		become_server(parent, socks[1]);
	fs_close(socks[1]);
	if (pid < 0) {
		err_sys(err, ERR_IO, "cannot fork the runner server");
		fs_close(socks[0]);
		return -1;
	}
	server = alloc(sizeof(*server));
	server->pid = pid;
	server->sock = socks[0];
	*ret = server;
	return 0;
}

struct runner_server *runner_server_stop(struct runner_server *server)
{
	if (!server)
		return NULL;
	fs_close(server->sock);
	kill(server->pid, SIGTERM);
	while (waitpid(server->pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(server);
	return NULL;
}

pid_t runner_server_pid(const struct runner_server *server)
{
	return server->pid;
}

static int gone(struct err *err)
{
	return err_set(err, ERR_IO, "the runner server is gone (was it killed?)");
}

/*
 * The limit of open files lets only some descriptors through, or none. The runner is not this
 * process's child, but nobody else knows that it is not wanted.
 */
static int lost_descriptors(pid_t runner, const int *fds, size_t n_fds, struct err *err)
{
	kill(runner, SIGKILL);
	for (size_t i = 0; i < n_fds; i++)
		close(fds[i]);
	err_set(err, ERR_IO, "the runner server's descriptors did not come through");
	return err_hint(err, "is the limit of open files reached (ulimit -n)?");
}

static int receive_answer(struct runner_server *server, struct answer *answer, int fds[MESSAGE_FDS],
                          struct err *err)
{
	size_t n_fds;

	if (failpoint("answer-receive") ||
	    receive_message(server->sock, answer, sizeof(*answer), fds, &n_fds) !=
	            (ssize_t)sizeof(*answer)) {
		server->owed++;
		return gone(err);
	}
	if (answer->pid > 0 && n_fds != 2)
		return lost_descriptors(answer->pid, fds, n_fds, err);
	return 0;
}

/* What nobody waits for any more: its runner ends what it does, and says so to nobody. It may have ended
 * long ago, and its number be another's: the descriptor is still its own. */
static int skip_owed(struct runner_server *server, struct err *err)
{
	while (server->owed > 0) {
		struct answer answer = { 0 };
		int fds[MESSAGE_FDS] = { -1, -1 };
		size_t n_fds;

		if (receive_message(server->sock, &answer, sizeof(answer), fds, &n_fds) !=
		    (ssize_t)sizeof(answer))
			return gone(err);
		server->owed--;
		if (n_fds > 0)
			syscall(SYS_pidfd_send_signal, fds[0], SIGTERM, NULL, 0);
		for (size_t i = 0; i < n_fds; i++)
			close(fds[i]);
	}
	return 0;
}

int runner_server_run(struct runner_server *server, const struct runner_request *request,
                      struct runner *ret, struct err *err)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(WIRE_REQUEST_MAX);
	struct answer answer = { 0 };
	int fds[MESSAGE_FDS] = { -1, -1 };

	wire_put_request(request, &bytes);
	if (bytes.overflow)
		return err_set(err, ERR_INPUT, "the request for %.200s is too large",
		               request->address);
	if (skip_owed(server, err) < 0)
		return -1;
	if (failpoint("request-send") ||
	    send_message(server->sock, bytes.p, bytes.n, &request->userns_fd,
	                 request->userns_fd ? 1 : 0) < 0)
		return gone(err);
	if (receive_answer(server, &answer, fds, err) < 0)
		return -1;
	if (answer.pid == 0) {
		errno = answer.sys;
		return err_sys(err, ERR_IO, "cannot fork a runner");
	}
	ret->pid = answer.pid;
	ret->pidfd = fds[0];
	ret->reply_fd = fds[1];
	return 0;
}
