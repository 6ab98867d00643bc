/*
 * Forking runners away from the main process. Requests go over a socket pair, and on to a runner that has
 * nothing to do, or to a new one; the answer to each is the runner's pid with a pidfd and the read end of
 * its reply pipe; what a runner has to say, it says through its pipe.
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
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "exec/layers.h"
#include "exec/runner.h"
#include "host/child.h"
#include "host/clock.h"
#include "host/failpoint.h"
#include "host/fs.h"
#include "host/message.h"
#include "host/process.h"
#include "sandbox/identity.h"

struct runner_server {
	pid_t pid;
	int sock;
	int serial;  /* of the last request */
	size_t owed; /* answers to requests that were given up: they come before the next one's */
};

/* What the server is sent before each request. */
struct head {
	int fresh; /* whether a new runner is wanted, which then takes no other */
	int serial;
};

/* What the server answers: a pid with two descriptors, or an errno without. */
struct answer {
	pid_t pid;
	int serial;
	int sys;
};

/* How long runners have to stop their stages and tidy up once the main process is gone. */
enum { LAST_GRACE_MS = 400 };

/* A runner, as the server sees it. */
struct worker {
	pid_t pid;
	int pidfd;
	int sock;
	bool idle;
};

struct serving {
	int sock, signal_fd;
	pid_t parent; /* the main process */
	ARRAY(struct worker) workers;
	struct groups *groups; /* from the first request on */
	bool orphaned;         /* the main process is gone */
};

/* ---- in the server ------------------------------------------------------------------------- */

static int send_answer(int sock, const struct answer *answer, const int *fds, size_t n_fds)
{
	return failpoint("answer-send") ||
	                       message_send(sock, answer, sizeof(*answer), fds, n_fds) < 0 ?
	               -1 :
	               0;
}

static void become_runner(pid_t server, int sock, struct groups *groups) __attribute__((noreturn));
static void become_runner(pid_t server, int sock, struct groups *groups)
{
	int keep[1 + GROUP_PLACES] = { sock };
	size_t n_keep = 1 + groups_fds(groups, keep + 1);

	process_reset_signals();
	/* Who asked may be gone when it answers: then too it tidies up. */
	signal(SIGPIPE, SIG_IGN);
	/* SIGTERM: it ends what it started before it ends itself, which SIGKILL would leave to nobody. */
	if (!process_signal_with_parent(server, SIGTERM))
		_exit(1);
	prctl(PR_SET_NAME, "kiln-runner", 0, 0, 0);
	process_close_fds(keep, n_keep);
	runner_main(sock, groups);
	_exit(0);
}

/* ---- runners ------------------------------------------------------------------------------- */

static void forget_at(struct serving *serving, size_t i)
{
	struct worker *worker = &serving->workers.v[i];

	close(worker->sock);
	fs_close(worker->pidfd);
	*worker = serving->workers.v[--serving->workers.n];
}

static void forget(struct serving *serving, pid_t pid)
{
	for (size_t i = serving->workers.n; i-- > 0;)
		if (serving->workers.v[i].pid == pid)
			forget_at(serving, i);
}

/* Waits for whoever ended and kills whoever is no runner. False: there is no child at all. */
static bool reap(struct serving *serving)
{
	ARRAY(pid_t) runners = { 0 };
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
		forget(serving, pid);
	if (pid < 0)
		return false;
	for (size_t i = 0; i < serving->workers.n; i++)
		array_push(&runners, serving->workers.v[i].pid);
	process_kill_others(runners.v, runners.n);
	array_deinit(&runners);
	return true;
}

/* NULL: errno. */
static struct worker *new_worker(struct serving *serving)
{
	const pid_t server = getpid();
	struct worker worker;
	int socks[2];

	if (failpoint("runner-socket") || message_pair(socks) < 0)
		return NULL;
	worker.pid = failpoint("runner-fork") ? -1 : fork();
	if (worker.pid == 0)
		become_runner(server, socks[1], serving->groups);
	close(socks[1]);
	worker.sock = socks[0];
	worker.idle = true;
	worker.pidfd = worker.pid < 0 || failpoint("runner-pidfd") ? -1 : process_pidfd(worker.pid);
	if (worker.pidfd < 0) {
		const int sys = errno;

		close(worker.sock); /* which ends it */
		errno = sys;
		return NULL;
	}
	array_push(&serving->workers, worker);
	return &serving->workers.v[serving->workers.n - 1];
}

/* Whether it has said so. At its end it says nothing more. */
static bool says_idle(struct worker *worker)
{
	char byte;

	if (!worker->idle)
		worker->idle = recv(worker->sock, &byte, 1, MSG_DONTWAIT) == 1;
	return worker->idle;
}

/* -1: it has ended, or does so now. */
static int give(struct worker *worker, struct str request, const int *fds, size_t n_fds)
{
	worker->idle = false;
	if (!failpoint("runner-request") &&
	    message_send(worker->sock, request.p, request.n, fds, n_fds) >= 0)
		return 0;
	shutdown(worker->sock, SHUT_RDWR);
	return -1;
}

/*
 * To a runner that has nothing to do, unless another is wanted, or to a new one. NULL: errno. One that is killed
 * while it waits may be given something yet: that is told as where it was killed at work.
 */
static const struct worker *give_to_any(struct serving *serving, bool fresh, struct str request,
                                        const int *fds, size_t n_fds)
{
	struct worker *worker;

	for (size_t i = 0; !fresh && i < serving->workers.n; i++) {
		worker = &serving->workers.v[i];
		if (says_idle(worker) && give(worker, request, fds, n_fds) == 0)
			return worker;
	}
	worker = new_worker(serving);
	return worker && give(worker, request, fds, n_fds) == 0 ? worker : NULL;
}

/* -1: the main process cannot be told. */
static int serve_request(struct serving *serving, struct str message, int userns_fd)
{
	/* A runner is sent the number, too. */
	const size_t at = offsetof(struct head, serial);
	const struct str request = { message.p + at, message.n - at };
	const struct worker *worker;
	struct answer answer = { 0 };
	int pipe_fds[2] = { -1, -1 };
	struct head head;
	int rc;

	memcpy(&head, message.p, sizeof(head));
	answer.serial = head.serial;
	if (!serving->groups)
		serving->groups = groups_open("", serving->parent);
	if (failpoint("runner-pipe") || pipe2(pipe_fds, O_CLOEXEC) < 0) {
		answer.sys = errno;
		return send_answer(serving->sock, &answer, NULL, 0);
	}
	worker = give_to_any(serving, head.fresh, request, (int[]){ pipe_fds[1], userns_fd },
	                     userns_fd ? 2 : 1);
	if (worker)
		answer.pid = worker->pid;
	else
		answer.sys = errno;
	rc = send_answer(serving->sock, &answer,
	                 (int[]){ worker ? worker->pidfd : -1, pipe_fds[0] }, worker ? 2 : 0);
	fs_close(pipe_fds[0]);
	fs_close(pipe_fds[1]);
	return rc;
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
	const int64_t deadline = clock_mono_us() + LAST_GRACE_MS * 1000;
	struct pollfd p = { serving->signal_fd, POLLIN, 0 };

	for (size_t i = 0; i < serving->workers.n; i++) {
		shutdown(serving->workers.v[i].sock, SHUT_RDWR);
		kill(serving->workers.v[i].pid, SIGTERM);
	}
	while (reap(serving)) {
		struct signalfd_siginfo info;

		if (clock_mono_us() >= deadline)
			while (serving->workers.n)
				forget_at(serving, 0);
		/* The next one's end; and who forked while children were listed is looked for again. */
		if (poll(&p, 1, 2) > 0)
			(void)!read(serving->signal_fd, &info, sizeof(info));
	}
	groups_close(serving->groups);
	_exit(0);
}

static void serve(struct serving *serving) __attribute__((noreturn));
static void serve(struct serving *serving)
{
	static char request[sizeof(struct head) + WIRE_REQUEST_MAX];

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
		n = failpoint("request-receive") ? -1 :
		                                   message_receive(serving->sock, request,
		                                                   sizeof(request), 0, fds, &n_fds);
		if (n < (ssize_t)sizeof(struct head))
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
	                                        LAYERS_FROM,    "ASAN_OPTIONS", "LSAN_OPTIONS",
	                                        "UBSAN_OPTIONS" };

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
	if (failpoint("server-socket") || message_pair(socks) < 0)
		return err_sys(err, ERR_IO, "cannot make a socket pair");
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
 * process's child, but nobody else knows that it is not wanted. It may still answer for what it did before.
 */
static int lost_descriptors(const struct answer *answer, const int *fds, size_t n_fds,
                            struct err *err)
{
	sigqueue(answer->pid, SIGTERM, (union sigval){ .sival_int = answer->serial });
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
	    message_receive(server->sock, answer, sizeof(*answer), 0, fds, &n_fds) !=
	            (ssize_t)sizeof(*answer)) {
		server->owed++;
		return gone(err);
	}
	if (answer->pid > 0 && n_fds != 2)
		return lost_descriptors(answer, fds, n_fds, err);
	return 0;
}

/* What nobody waits for any more: its runner ends what it does, and says so to nobody. It may have ended
 * long ago, and its number be another's: the descriptor is still its own. It is given nothing else before. */
static int skip_owed(struct runner_server *server, struct err *err)
{
	while (server->owed > 0) {
		struct answer answer = { 0 };
		int fds[MESSAGE_FDS] = { -1, -1 };
		size_t n_fds;

		if (message_receive(server->sock, &answer, sizeof(answer), 0, fds, &n_fds) !=
		    (ssize_t)sizeof(answer))
			return gone(err);
		server->owed--;
		if (n_fds > 0)
			process_signal_with(fds[0], SIGTERM, answer.serial);
		for (size_t i = 0; i < n_fds; i++)
			close(fds[i]);
	}
	return 0;
}

int runner_server_run(struct runner_server *server, const struct runner_request *request,
                      struct runner *ret, struct err *err)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(sizeof(struct head) + WIRE_REQUEST_MAX);
	struct head head = { .fresh = request->paranoid };
	struct answer answer = { 0 };
	int fds[MESSAGE_FDS] = { -1, -1 };

	/* The server reads no more than that. */
	head.serial = server->serial = server->serial < INT_MAX ? server->serial + 1 : 1;
	buf_add(&bytes, &head, sizeof(head));
	wire_put_request(request, &bytes);
	if (bytes.overflow)
		return err_set(err, ERR_INPUT, "the request for %.200s is too large",
		               request->address);
	if (skip_owed(server, err) < 0)
		return -1;
	if (failpoint("request-send") ||
	    message_send(server->sock, bytes.p, bytes.n, &request->userns_fd,
	                 request->userns_fd ? 1 : 0) < 0)
		return gone(err);
	if (receive_answer(server, &answer, fds, err) < 0)
		return -1;
	if (answer.pid == 0) {
		errno = answer.sys;
		return err_sys(err, ERR_IO, "cannot start a runner");
	}
	ret->pid = answer.pid;
	ret->serial = answer.serial;
	ret->pidfd = fds[0];
	ret->reply_fd = fds[1];
	return 0;
}

void runner_cancel(const struct runner *runner)
{
	process_signal_with(runner->pidfd, SIGTERM, runner->serial);
}
