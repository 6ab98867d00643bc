/*
 * Evaluates a recipe in a forked child. What the recipe can do to a process (burn its processor,
 * crash a library) it does to the child. The child writes lines of JSON to a pipe: what was
 * printed, then the document or the error. A timer on the child's processor time ends patterns
 * that no instruction budget sees; its handler says which line was running.
 */
#include "recipe/recipe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/excerpt.h"
#include "base/str.h"
#include "host/failpoint.h"
#include "host/fs.h"
#include "recipe/state.h"

enum { CPU_MS_DEFAULT = 5000, ANSWER_MOST = 64 << 20 };

/* How the child ends. */
enum { CHILD_SAID = 0, CHILD_ORPHAN = 1, CHILD_NO_TIME = 3, CHILD_MUTE = 4 };

/* ---- in the child ---- */

struct child {
	struct recipe_state state;
	int fd;
};

enum { SAY_TOO_LARGE = 1 };

/* Writes one line: an object with one member. Steals the value. Returns 0 or SAY_TOO_LARGE. */
static int say(int fd, const char *name, json_t *value)
{
	_cleanup_json_ json_t *line = json_pack("{s:o}", name, value);
	_cleanup_buf_ struct buf text = BUF_INIT(ANSWER_MOST);
	struct err err = ERR_INIT;

	json_write_canonical(line, &text);
	buf_add_char(&text, '\n');
	if (text.overflow)
		return SAY_TOO_LARGE;
	return fs_write_all(fd, text.p, text.n, "pipe", &err);
}

/* A source line in an error may be no UTF-8: what is not ASCII is then shown as '?'. */
static json_t *text_json(const char *text)
{
	json_t *json = json_string(text);
	char *plain;

	if (json)
		return json;
	plain = str_dup(text);
	for (char *p = plain; *p; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	json = json_string(plain);
	free(plain);
	return json;
}

static void on_print(void *data, const char *text)
{
	struct child *child = data;

	say(child->fd, "print", text_json(text));
}

static void say_err_and_end(int fd, const struct err *err) __attribute__((noreturn));
static void say_err_and_end(int fd, const struct err *err)
{
	int rc = say(fd, "error",
	             json_pack("{s:i,s:o,s:o}", "code", (int)err->code, "cause",
	                       text_json(err->cause), "hint", text_json(err->hint)));

	_exit(rc == 0 ? CHILD_SAID : CHILD_MUTE);
}

/*
 * The processor time is used up. Nothing is allocated here: Lua may be inside malloc. Only the call
 * chain is read; should even that crash, the parent still knows that the time was over.
 */
static void on_cpu(int signal, siginfo_t *info, void *context)
{
	struct child *child = info->si_value.sival_ptr;
	struct place place = state_place(child->state.L);
	char line[32], *p = line + sizeof(line);
	int n = place.line > 0 ? place.line : 0;

	(void)signal;
	(void)context;
	*--p = '\n';
	do
		*--p = (char)('0' + n % 10);
	while (n /= 10);
	if (place.file) {
		/* Chunk names are "@PATH": the parent reads CPU, path and line. */
		(void)!write(child->fd, "\ncpu ", 5);
		(void)!write(child->fd, place.file->path, strlen(place.file->path));
		(void)!write(child->fd, ":", 1);
		(void)!write(child->fd, p, (size_t)(line + sizeof(line) - p));
	}
	_exit(CHILD_NO_TIME);
}

static void limit_cpu(struct child *child, unsigned int ms)
{
	struct sigaction action = { .sa_sigaction = on_cpu, .sa_flags = SA_SIGINFO };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
		                  .sigev_signo = SIGUSR1,
		                  .sigev_value.sival_ptr = child };
	struct itimerspec when = { .it_value = { ms / 1000, (long)(ms % 1000) * 1000000 } };
	struct rlimit hard = { ms / 1000 + 2, ms / 1000 + 3 };
	timer_t timer;

	sigaction(SIGUSR1, &action, NULL);
	if (timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &timer) == 0)
		timer_settime(timer, 0, &when, NULL);
	/* Should the timer not fire, the kernel ends the child a little later. */
	setrlimit(RLIMIT_CPU, &hard);
}

/* A child of a program with its own ideas about signals starts afresh. */
static void reset_signals(pid_t parent)
{
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(CHILD_ORPHAN);
}

static int document_fault(struct err *err)
{
	return err_set(err, ERR_INPUT, "the recipe's document is larger than %d MiB",
	               ANSWER_MOST >> 20);
}

static void run_child(const struct recipe_request *request, int fd, pid_t parent)
{
	struct child child = { .fd = fd };
	struct rlimit no_core = { 0, 0 };
	struct err err = ERR_INIT;
	int rc;

	reset_signals(parent);
	setrlimit(RLIMIT_CORE, &no_core);
	if (state_open(request, &child.state, &err) < 0)
		say_err_and_end(fd, &err);
	child.state.print = on_print;
	child.state.print_data = &child;
	limit_cpu(&child, request->cpu_ms ? request->cpu_ms : CPU_MS_DEFAULT);
	rc = state_run(&child.state, &err);
	if (rc == 0)
		rc = say(fd, "document", json_incref(child.state.document));
	else
		say_err_and_end(fd, &err);
	if (rc <= 0)
		_exit(rc < 0 ? CHILD_MUTE : CHILD_SAID);
	/* Escapes make it longer than the texts that were counted. */
	document_fault(&err);
	say_err_and_end(fd, &err);
}

/* ---- in the parent ---- */

static int cpu_fault(const struct recipe_request *request, const char *where, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(ERR_CAUSE_MAX - 1), source = BUF_INIT(1 << 20);
	unsigned int ms = request->cpu_ms ? request->cpu_ms : CPU_MS_DEFAULT;
	const char *colon = where ? strrchr(where, ':') : NULL;

	buf_fmt(&text, "%s: the recipe used more than %u.%u s of processor time",
	        colon ? where : request->recipe, ms / 1000, ms % 1000 / 100);
	if (colon) {
		_cleanup_free_ char *path =
			str_fmt("%s/%.*s", request->project, (int)(colon - where), where);
		struct err ignored = ERR_INIT;

		if (fs_read(AT_FDCWD, path, &source, &ignored) == 0)
			excerpt_add(
				&text, buf_text(&source), source.n, strtoul(colon + 1, NULL, 10), 0,
				"here; is there an endless loop, or a pattern with many * or -?");
	}
	err_set(err, ERR_INPUT, "%s", buf_text(&text));
	if (!colon)
		err_hint(err, "is there an endless loop, or a pattern with many * or -?");
	return -1;
}

/* One line of the answer. Returns 1 when it was the last one needed, 0 for others. */
static int read_line(const struct recipe_request *request, struct str line, json_t **ret_document,
                     struct err *err)
{
	_cleanup_json_ json_t *json = NULL;
	json_t *part;

	if (line.n > 4 && strncmp(line.p, "cpu ", 4) == 0) {
		_cleanup_free_ char *where = str_dup_n(line.p + 4, line.n - 4);

		return cpu_fault(request, where, err);
	}
	json = json_loadb(line.p, line.n, JSON_REJECT_DUPLICATES, NULL);
	part = json_object_get(json, "print");
	if (json_is_string(part))
		log_say(request->log, LOG_NOTE, "%s: %s", request->recipe, json_string_value(part));
	part = json_object_get(json, "error");
	if (part) {
		err_set(err, (enum err_code)json_integer_value(json_object_get(part, "code")), "%s",
		        json_str_or(part, "cause", "?"));
		if (json_str_or(part, "hint", "")[0])
			err_hint(err, "%s", json_str_or(part, "hint", ""));
		return -1;
	}
	part = json_object_get(json, "document");
	if (!part)
		return 0;
	*ret_document = json_incref(part);
	return 1;
}

static int read_answer(const struct recipe_request *request, const struct buf *answer,
                       json_t **ret_document, struct err *err)
{
	struct str rest = buf_str(answer), line;

	while (str_cut(&rest, '\n', &line)) {
		int rc = line.n ? read_line(request, line, ret_document, err) : 0;

		if (rc != 0)
			return rc;
	}
	return 0;
}

/* Why a child that gave no answer ended. */
static int no_answer(const struct recipe_request *request, int status, const struct rusage *use,
                     struct err *err)
{
	unsigned int ms = request->cpu_ms ? request->cpu_ms : CPU_MS_DEFAULT;
	long used = (use->ru_utime.tv_sec + use->ru_stime.tv_sec) * 1000 +
	            (use->ru_utime.tv_usec + use->ru_stime.tv_usec) / 1000;
	int sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	if (sig == SIGXCPU || used + 50 >= (long)ms)
		return cpu_fault(request, NULL, err);
	if (sig == SIGINT || sig == SIGTERM)
		return err_set(err, ERR_INTERRUPTED, "interrupted while reading %s",
		               request->recipe);
	/* Nothing in a recipe does that: who is out of memory did it, or a person. */
	if (sig == SIGKILL) {
		err_set(err, ERR_IO, "%s: the process that evaluates the recipe was killed",
		        request->recipe);
		return err_hint(err, "is the machine out of memory? Run the same command again");
	}
	if (sig)
		return err_set(
			err, ERR_INPUT,
			"%s: the process that evaluates the recipe was ended by signal %d (%s)",
			request->recipe, sig, strsignal(sig));
	if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_MUTE)
		return err_set(err, ERR_IO,
		               "%s: the process that evaluates the recipe could not pass on "
		               "what it found",
		               request->recipe);
	return err_set(err, ERR_BUG, "%s: the process that evaluates the recipe gave no answer",
	               request->recipe);
}

static int read_all(int fd, struct buf *answer, struct err *err)
{
	char block[16384];

	for (;;) {
		ssize_t n = failpoint("recipe-read") ? -1 : read(fd, block, sizeof(block));

		if (n == 0)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, ERR_IO, "cannot read what the recipe says");
		buf_add(answer, block, (size_t)n);
		if (answer->overflow)
			return document_fault(err);
	}
	return 0;
}

int recipe_load(const struct recipe_request *request, json_t **ret_document, struct err *err)
{
	_cleanup_buf_ struct buf answer = BUF_INIT(ANSWER_MOST);
	struct rusage use = { 0 };
	int pipes[2], status = 0, rc;
	pid_t parent = getpid(), pid, got;

	if (failpoint("recipe-pipe") || pipe2(pipes, O_CLOEXEC) < 0)
		return err_sys(err, ERR_IO, "cannot make a pipe");
	pid = failpoint("recipe-fork") ? -1 : fork();
	if (pid == 0) {
		close(pipes[0]);
		run_child(request, pipes[1], parent);
	}
	close(pipes[1]);
	if (pid < 0) {
		close(pipes[0]);
		return err_sys(err, ERR_MACHINE, "cannot fork");
	}
	rc = read_all(pipes[0], &answer, err);
	close(pipes[0]);
	if (rc < 0)
		kill(pid, SIGKILL);
	do
		got = wait4(pid, &status, 0, &use);
	while (got < 0 && errno == EINTR);
	if (rc < 0)
		return -1;
	rc = read_answer(request, &answer, ret_document, err);
	if (rc < 0)
		return -1;
	return rc > 0 ? 0 : no_answer(request, got == pid ? status : 0, &use, err);
}
