/*
 * Watching over what an action started. The runner is a child subreaper: whatever outlives the
 * child, a detached daemon too, becomes the runner's own child, is killed, and is waited for. As
 * the first process of a PID namespace ends only after all others in it, "no child left" means that
 * nothing of the action can write any more.
 */
#include "exec/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exec/nice.h"
#include "exec/pipes.h"
#include "exec/said.h"
#include "host/clock.h"
#include "host/failpoint.h"
#include "host/fs.h"
#include "host/process.h"
#include "host/tmpfile.h"

struct stream {
	int fd;    /* read end; -1 at its end */
	int *file; /* -1 until something comes */
	uint64_t n, limit;
	struct times *times;
	const char *what;
};

/* What comes through status_fd: some lines; more than fits is nobody's. */
struct status {
	int fd; /* -1 at its end */
	char text[2048];
	size_t n;
};

struct watch {
	const struct supervise_spec *spec;
	struct supervised *s;
	pid_t child;
	bool child_ended, none_left;
	int signal_fd;
	struct stream out, log;
	struct status status;
	struct said said;
	int64_t began;    /* monotonic us */
	int64_t deadline; /* …, 0: none */
	bool killing;
	int nice_tries;      /* left */
	int64_t next_try_us; /* monotonic */
};

/* ---- ending everything --------------------------------------------------------------------- */

/* The first process of bubblewrap's namespaces, whose pid comes first of all through the status pipe. */
static pid_t inner_pid(const struct watch *w)
{
	static const char child_pid[] = "\"child-pid\":";
	const char *told = strstr(w->status.text, child_pid);

	return told ? (pid_t)strtol(told + strlen(child_pid), NULL, 10) : 0;
}

/*
 * Among thousands that all want the processor the first process waits long for its turn to die, which is
 * when the kernel ends the others. It leads their group, and a group is killed at once. The number is no
 * other process's as long as its parent, our child, is there.
 */
static void kill_group(const struct watch *w)
{
	pid_t inner = inner_pid(w);

	if (inner > 1 && !w->child_ended && process_parent(inner) == w->child &&
	    getpgid(inner) == inner)
		kill(-inner, SIGKILL);
}

static void kill_all(struct watch *w)
{
	if (!w->killing)
		kill_group(w);
	w->killing = true;
	if (!w->child_ended)
		kill(w->child, SIGKILL);
	process_kill_others(NULL, 0);
}

static void stop(struct watch *w, enum supervise_end end)
{
	if (end == SUPERVISE_CANCELLED)
		w->s->cancelled = true;
	if (w->s->end == SUPERVISE_EXITED && !w->child_ended)
		w->s->end = end;
	kill_all(w);
}

static void add_usage(struct supervised *s, const struct rusage *usage)
{
	int64_t peak = (int64_t)usage->ru_maxrss * 1024;

	s->user_us += (int64_t)usage->ru_utime.tv_sec * 1000000 + usage->ru_utime.tv_usec;
	s->system_us += (int64_t)usage->ru_stime.tv_sec * 1000000 + usage->ru_stime.tv_usec;
	s->peak_bytes = peak > s->peak_bytes ? peak : s->peak_bytes;
}

static void reap(struct watch *w)
{
	for (;;) {
		struct rusage usage;
		int status;
		pid_t pid = wait4(-1, &status, WNOHANG, &usage);

		if (pid < 0 && errno == EINTR)
			continue;
		w->none_left = pid < 0;
		if (pid <= 0)
			break;
		add_usage(w->s, &usage);
		if (pid != w->child)
			continue;
		w->child_ended = true;
		w->s->exit_code =
			WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	}
	if (w->child_ended && !w->none_left)
		kill_all(w);
}

/* ---- streams ------------------------------------------------------------------------------- */

static int copy_some(struct stream *stream, struct err *err)
{
	char chunk[65536];
	ssize_t n = read(stream->fd, chunk, sizeof(chunk));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		stream->fd = fs_close(stream->fd);
		return 0;
	}
	stream->n += (uint64_t)n;
	if (stream->n > stream->limit)
		return 0; /* the caller kills; what comes until then is dropped */
	return fs_write_all(*stream->file, chunk, (size_t)n, stream->what, err);
}

/* A disk that the stage has filled is the stage's to answer for. What else is in the pipe is dropped: its
 * end would never come. */
static int cannot_keep(struct watch *w, struct stream *stream, struct err *err)
{
	const int sys = errno;

	if (err_sys_is_full(sys) && limits_full(w->spec->limits, &w->s->breach)) {
		stop(w, SUPERVISE_LIMIT);
		stream->n = stream->limit + 1;
		return 0;
	}
	errno = sys;
	return err_sys(err, ERR_IO, "cannot keep %s", stream->what);
}

/* Stages print nothing, mostly. */
static int make_file(struct watch *w, struct stream *stream, struct err *err)
{
	struct err full = ERR_INIT;

	if (*stream->file >= 0 ||
	    tmpfile_open(w->spec->files_fd, stream->what, stream->file, &full) == 0)
		return 0;
	errno = full.sys;
	return cannot_keep(w, stream, err);
}

/* Moves what is there into the file. */
static int drain(struct watch *w, struct stream *stream, enum supervise_end past, struct err *err)
{
	const uint64_t before = stream->n;
	ssize_t n = -1;

	if (failpoint("stage-stream"))
		return cannot_keep(w, stream, err);
	if (make_file(w, stream, err) < 0)
		return -1;
	errno = EINVAL;
	if (stream->n < stream->limit)
		n = splice(stream->fd, NULL, *stream->file, NULL, 1 << 20,
		           SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	if (n > 0)
		stream->n += (uint64_t)n;
	else if (n == 0)
		stream->fd = fs_close(stream->fd);
	else if (errno == EINVAL || errno == ENOSYS) {
		if (copy_some(stream, err) < 0)
			return -1;
	} else if (errno != EAGAIN && errno != EINTR)
		return cannot_keep(w, stream, err);
	if (stream->n > before) {
		said_more(&w->said, *stream->file);
		times_note(stream->times, before, clock_mono_us() - w->began);
	}
	if (stream->n > stream->limit)
		stop(w, past);
	return 0;
}

static int take(struct watch *w, struct stream *stream, short revents, enum supervise_end past,
                struct err *err)
{
	if (revents & POLLIN)
		return drain(w, stream, past, err);
	if (revents) /* its end */
		stream->fd = fs_close(stream->fd);
	return 0;
}

/* Takes what is there. Nothing here may keep the runner from watching: it never blocks. */
static void read_status(struct status *status)
{
	char chunk[512];

	while (status->fd >= 0) {
		ssize_t n = read(status->fd, chunk, sizeof(chunk));
		size_t room = sizeof(status->text) - 1 - status->n;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			status->fd = fs_close(status->fd);
			return;
		}
		room = room < (size_t)n ? room : (size_t)n;
		memcpy(status->text + status->n, chunk, room);
		status->n += room;
	}
}

static void read_signals(struct watch *w)
{
	struct signalfd_siginfo info;

	while (read(w->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (info.ssi_signo != SIGCHLD)
			stop(w, SUPERVISE_CANCELLED);
	reap(w);
}

enum { TICK_MS = 10 };

static int wait_ms(const struct watch *w)
{
	int64_t look = limits_wait_ms(w->spec->limits), left;

	if (w->killing || w->nice_tries)
		return TICK_MS; /* children that forked while they were listed */
	if (!w->deadline)
		return (int)look;
	left = (w->deadline - clock_mono_us()) / 1000 + 1;
	left = left < look ? left : look;
	return left < 0 ? 0 : (int)left;
}

/* ---- giving way ---------------------------------------------------------------------------- */

/* Four seconds, for a machine so busy that a sandbox is long in the making. */
enum { NICE_TRIES = 400 };

/*
 * What has ended within the first tick stood in nobody's way.
 *
 * The stage's session is made by the child itself, or by the first process of bubblewrap's PID
 * namespace. It is the runner that makes it nice, when it is there: so the stage still leads a session
 * of its own namespace. One that it opens itself gets the kernel's equal share again.
 */
static void give_way(struct watch *w)
{
	const int64_t now = w->nice_tries ? clock_mono_us() : 0;
	pid_t inner = inner_pid(w);

	if (!w->nice_tries || now < w->next_try_us)
		return;
	w->next_try_us = now + TICK_MS * 1000;
	w->nice_tries--;
	if (w->child_ended || nice_session(inner ? inner : w->child, w->spec->nice))
		w->nice_tries = 0;
}

/* ---- limits -------------------------------------------------------------------------------- */

static void watch_limits(struct watch *w)
{
	if (!w->killing && limits_look(w->spec->limits, inner_pid(w), &w->s->breach))
		stop(w, SUPERVISE_LIMIT);
}

static int watch(struct watch *w, struct err *err)
{
	while (!w->none_left || w->out.fd >= 0 || w->log.fd >= 0) {
		struct pollfd p[4] = { { w->signal_fd, POLLIN, 0 },
			               { w->out.fd, POLLIN, 0 },
			               { w->log.fd, POLLIN, 0 },
			               { w->status.fd, POLLIN, 0 } };
		int n = poll(p, 4, said_within(&w->said, wait_ms(w)));

		if (n < 0 && errno != EINTR)
			return err_sys(err, ERR_IO, "cannot watch the stage");
		if (n < 0)
			continue;
		if (take(w, &w->out, p[1].revents, SUPERVISE_OUT_LIMIT, err) < 0 ||
		    take(w, &w->log, p[2].revents, SUPERVISE_LOG_LIMIT, err) < 0)
			return -1;
		if (p[3].revents)
			read_status(&w->status);
		said_tell(&w->said);
		give_way(w);
		watch_limits(w);
		if (p[0].revents)
			read_signals(w);
		else if (w->killing) {
			kill_all(w);
			reap(w);
		}
		if (w->deadline && clock_mono_us() >= w->deadline && !w->child_ended)
			stop(w, SUPERVISE_TIMEOUT);
	}
	return 0;
}

/* ---- starting ------------------------------------------------------------------------------ */

struct child {
	const struct supervise_spec *spec;
	const struct pipes *pipes;
};

/* In the child; returns its exit status. */
static int run_child(void *data)
{
	const struct child *child = data;
	const struct supervise_spec *spec = child->spec;
	const struct supervise_streams streams = pipes_streams(child->pipes);
	struct err err = ERR_INIT;
	int rc;

	for (int i = 0; i < N_PIPES; i++)
		close(child->pipes->fd[i][0]);
	if (spec->nice > 0)
		nice_process(spec->nice);
	rc = group_enter(spec->limits->group, &err);
	if (rc == 0)
		rc = failpoint("stage-enter") ? err_sys(&err, ERR_IO, "cannot enter the sandbox") :
		                                spec->fn(spec->data, &streams, &err);
	if (rc < 0)
		(void)!pwrite(streams.err_fd, &err, sizeof(err), 0);
	return rc < 0 ? 1 : rc;
}

static pid_t start_child(const struct supervise_spec *spec, const struct pipes *p)
{
	struct child child = { spec, p };
	pid_t pid;

	if (failpoint("stage-fork"))
		return -1;
	if (spec->execs)
		return process_fork_to_exec(run_child, &child);
	pid = fork();
	if (pid == 0)
		_exit(run_child(&child));
	return pid;
}

static int block_signals(int *ret_fd, struct err *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	*ret_fd = failpoint("stage-signals") ? -1 : signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return *ret_fd < 0 ? err_sys(err, ERR_IO, "cannot take signals") : 0;
}

static int watch_child(struct watch *w, struct pipes *p, struct err *err)
{
	int rc;

	w->began = clock_mono_us();
	w->next_try_us = w->began + TICK_MS * 1000;
	w->deadline = w->spec->timeout_ms ? w->began + w->spec->timeout_ms * 1000 : 0;
	rc = watch(w, err);
	if (rc < 0) /* the disk is full, say: leave nothing running */
		for (kill_all(w), reap(w); !w->none_left; kill_all(w), reap(w))
			usleep(1000);
	w->s->wall_us = clock_mono_us() - w->began;
	read_status(&w->status);
	w->s->ran = strstr(w->status.text, "exit-code");
	if (w->s->end == SUPERVISE_EXITED &&
	    limits_last(w->spec->limits, w->s->exit_code != 0, &w->s->breach))
		w->s->end = SUPERVISE_LIMIT;
	pipes_read_error(p, &w->s->err);
	return rc;
}

int supervise(const struct supervise_spec *spec, struct supervised *ret, struct err *err)
{
	struct supervised s = { .err = ERR_INIT, .out_file = -1, .log_file = -1 };
	_cleanup_fd_ int signal_fd = -1;
	struct watch w = { .spec = spec, .s = &s };
	struct supervise_streams streams;
	struct pipes p;
	int rc;

	if (block_signals(&signal_fd, err) < 0 || pipes_open(&p, err) < 0)
		return -1;
	streams = pipes_streams(&p);
	if (spec->ready && spec->ready(spec->data, &streams, err) < 0) {
		pipes_close(&p);
		return -1;
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	w.child = start_child(spec, &p);
	if (w.child < 0) {
		err_sys(err, ERR_IO, "cannot fork");
		pipes_close(&p);
		return -1;
	}
	pipes_close_ends(&p, 1);
	w.signal_fd = signal_fd;
	w.nice_tries = spec->nice > 0 ? NICE_TRIES : 0;
	w.out = (struct stream){ p.fd[PIPE_OUT][0], &s.out_file,  0,
		                 spec->out_limit,   &s.out_times, "standard output" };
	w.log = (struct stream){ p.fd[PIPE_LOG][0], &s.log_file,  0,
		                 spec->log_limit,   &s.log_times, "the log" };
	w.status.fd = p.fd[PIPE_STATUS][0];
	p.fd[PIPE_OUT][0] = p.fd[PIPE_LOG][0] = p.fd[PIPE_STATUS][0] = -1;
	said_init(&w.said, spec->said_fd);
	rc = watch_child(&w, &p, err);
	said_end(&w.said);
	fs_close(w.out.fd);
	fs_close(w.log.fd);
	fs_close(w.status.fd);
	pipes_close(&p);
	if (rc == 0)
		*ret = s;
	else
		supervised_deinit(&s);
	return rc;
}

void supervised_deinit(struct supervised *s)
{
	s->out_file = fs_close(s->out_file);
	s->log_file = fs_close(s->log_file);
	times_deinit(&s->out_times);
	times_deinit(&s->log_times);
}
