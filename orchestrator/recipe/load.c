/*
 * Evaluates a recipe in a forked child. What the recipe can do to a process (burn its processor,
 * crash a library) it does to the child. The child writes lines to a pipe: stages as they are
 * declared, what was printed, then the document or the error. A timer on the child's processor time ends patterns
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

enum { CPU_MS_DEFAULT = 5000, ANSWER_MOST = 64 << 20, BLOCK = 64 << 10 };

/* How the line of a stage begins; its fields are kind, address, where (JSON) and options (JSON),
 * behind a tab each: none of them holds one. */
static const char stage_word[] = "stage";

/* How the child ends. */
enum { CHILD_SAID = 0, CHILD_ORPHAN = 1, CHILD_NO_TIME = 3, CHILD_MUTE = 4 };

/* ---- in the child ---- */

struct child {
	struct recipe_state state;
	int fd;
	struct buf lines; /* stages that are not written yet */
	bool mute;        /* some could not be */
};

enum { SAY_TOO_LARGE = 1 };

static int flush(struct child *child)
{
	struct err err = ERR_INIT;

	if (child->lines.n && !child->mute)
		child->mute =
			fs_write_all(child->fd, child->lines.p, child->lines.n, "pipe", &err) < 0;
	buf_clear(&child->lines);
	return child->mute ? -1 : 0;
}

/* Writes one line: an object with one member. Steals the value. Returns 0 or SAY_TOO_LARGE. */
static int say(struct child *child, const char *name, json_t *value)
{
	_cleanup_json_ json_t *line = json_pack("{s:o}", name, value);
	_cleanup_buf_ struct buf text = BUF_INIT(ANSWER_MOST);
	struct err err = ERR_INIT;

	json_write_canonical(line, &text);
	buf_add_char(&text, '\n');
	if (text.overflow)
		return SAY_TOO_LARGE;
	if (flush(child) < 0)
		return -1;
	return fs_write_all(child->fd, text.p, text.n, "pipe", &err);
}

static void on_stage(void *data, const char *kind, const char *address, const char *where,
                     const json_t *options)
{
	struct child *child = data;
	_cleanup_json_ json_t *place = json_string(where);

	buf_fmt(&child->lines, "%s\t%s\t%s\t", stage_word, kind, address);
	json_write_canonical(place, &child->lines);
	buf_add_char(&child->lines, '\t');
	json_write_canonical(options, &child->lines);
	buf_add_char(&child->lines, '\n');
	if (child->lines.n >= BLOCK)
		flush(child);
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

	say(child, "print", text_json(text));
}

static void say_err_and_end(struct child *child, const struct err *err) __attribute__((noreturn));
static void say_err_and_end(struct child *child, const struct err *err)
{
	int rc = say(child, "error",
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
	struct child child = { .fd = fd, .lines = BUF_INIT(2 * ANSWER_MOST) };
	struct rlimit no_core = { 0, 0 };
	struct err err = ERR_INIT;
	int rc;

	reset_signals(parent);
	setrlimit(RLIMIT_CORE, &no_core);
	if (state_open(request, &child.state, &err) < 0)
		say_err_and_end(&child, &err);
	child.state.print = on_print;
	child.state.print_data = &child;
	child.state.stage = on_stage;
	child.state.stage_data = &child;
	limit_cpu(&child, request->cpu_ms ? request->cpu_ms : CPU_MS_DEFAULT);
	rc = state_run(&child.state, &err);
	if (rc == 0)
		rc = say(&child, "document", json_incref(child.state.document));
	else
		say_err_and_end(&child, &err);
	if (rc <= 0)
		_exit(rc < 0 ? CHILD_MUTE : CHILD_SAID);
	/* Escapes make it longer than the texts that were counted. */
	document_fault(&err);
	say_err_and_end(&child, &err);
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

static void take_print(const struct recipe_request *request, const char *text)
{
	log_say(request->log, LOG_NOTE, "%s: %s", request->recipe, text);
	if (request->printed)
		buf_add(request->printed, text, strlen(text) + 1);
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
		take_print(request, json_string_value(part));
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

/* ---- stages, as they come ---- */

/* What is read of a child: lines, until the one that ends it. */
struct answer {
	const struct recipe_request *request;
	json_t *stages;   /* where nobody takes them */
	struct err fault; /* of the first stage that could not be taken */
	size_t read;      /* bytes */
};

static json_t *text_of(struct str text)
{
	return json_stringn(text.p, text.n);
}

/* Into the list of stages that the document then has. */
static int put_stage(void *data, const struct recipe_stage *stage, struct err *err)
{
	json_t *json, *options, *stages = data;
	struct str rest = str_of(stage->address), target, variant;

	if (json_parse(stage->options.p, stage->options.n, "the options of a stage", &options,
	               err) < 0)
		return -1;
	str_cut(&rest, '/', &target);
	str_cut(&rest, '/', &variant);
	json = json_pack("{s:s,s:s,s:s,s:o}", "address", stage->address, "kind", stage->kind,
	                 "where", stage->where, "options", options);
	json_object_set_new(json, "target", text_of(target));
	json_object_set_new(json, "variant", text_of(variant));
	json_object_set_new(json, "name", text_of(rest));
	return json_array_append_new(stages, json);
}

/* A place as it stands in a line, quoted. NULL: it is none. */
static char *read_where(struct str text)
{
	_cleanup_json_ json_t *json = NULL;

	if (text.n < 2)
		return NULL;
	if (!memchr(text.p, '\\', text.n))
		return str_dup_n(text.p + 1, text.n - 2);
	json = json_loadb(text.p, text.n, JSON_DECODE_ANY, NULL);
	return json_is_string(json) ? str_dup(json_string_value(json)) : NULL;
}

static int take_stage(struct answer *answer, struct str line, struct err *err)
{
	const struct recipe_request *request = answer->request;
	_cleanup_free_ char *kind = NULL, *address = NULL, *where = NULL;
	struct str part[5];
	size_t n = 0;

	while (n < ARRAY_LEN(part) && str_cut(&line, '\t', &part[n]))
		n++;
	if (n < ARRAY_LEN(part) || !(where = read_where(part[3])))
		return err_set(err, ERR_BUG, "%s: a stage came in part", request->recipe);
	kind = str_dup_n(part[1].p, part[1].n);
	address = str_dup_n(part[2].p, part[2].n);
	const struct recipe_stage stage = { kind, address, where, part[4] };

	return request->stage ? request->stage(request->stage_data, &stage, err) :
	                        put_stage(answer->stages, &stage, err);
}

/* A stage that is wrong counts only where the document comes: a child that was stopped says half. */
static int take_line(struct answer *answer, struct str line, json_t **ret_document, struct err *err)
{
	int rc;

	if (line.n > sizeof(stage_word) &&
	    strncmp(line.p, stage_word, sizeof(stage_word) - 1) == 0) {
		if (answer->fault.code == ERR_NONE)
			(void)take_stage(answer, line, &answer->fault);
		return 0;
	}
	rc = line.n ? read_line(answer->request, line, ret_document, err) : 0;
	if (rc > 0 && answer->fault.code != ERR_NONE) {
		json_cleanup(ret_document);
		*err = answer->fault;
		return -1;
	}
	return rc;
}

/* The whole lines of a buffer; the rest goes to its beginning. */
static int take_lines(struct answer *answer, struct buf *buf, json_t **ret_document,
                      struct err *err)
{
	char *from = buf->p, *end;
	int rc = 0;

	while (rc == 0 && (end = memchr(from, '\n', buf->n - (size_t)(from - buf->p)))) {
		rc = take_line(answer, (struct str){ from, (size_t)(end - from) }, ret_document,
		               err);
		from = end + 1;
	}
	buf->n -= (size_t)(from - buf->p);
	memmove(buf->p, from, buf->n);
	return rc;
}

/* Returns 1 with the document, 0 where the child ended without one. */
static int read_all(struct answer *answer, int fd, json_t **ret_document, struct err *err)
{
	_cleanup_buf_ struct buf buf = BUF_INIT(ANSWER_MOST);
	_cleanup_free_ char *block = alloc(BLOCK);
	int rc = 0;

	while (rc == 0) {
		ssize_t n = failpoint("recipe-read") ? -1 : read(fd, block, BLOCK);

		if (n == 0)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, ERR_IO, "cannot read what the recipe says");
		answer->read += (size_t)n;
		buf_add(&buf, block, (size_t)n);
		if (buf.overflow || answer->read > ANSWER_MOST)
			return document_fault(err);
		if (memchr(block, '\n', (size_t)n))
			rc = take_lines(answer, &buf, ret_document, err);
	}
	return rc;
}

int recipe_load(const struct recipe_request *request, json_t **ret_document, struct err *err)
{
	_cleanup_json_ json_t *stages = json_array(), *document = NULL;
	struct answer answer = { .request = request, .stages = stages, .fault = ERR_INIT };
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
	rc = read_all(&answer, pipes[0], &document, err);
	close(pipes[0]);
	if (rc < 0)
		kill(pid, SIGKILL);
	do
		got = wait4(pid, &status, 0, &use);
	while (got < 0 && errno == EINTR);
	if (rc < 0)
		return -1;
	if (rc == 0)
		return no_answer(request, got == pid ? status : 0, &use, err);
	if (!request->stage)
		json_object_set(document, "stages", stages);
	*ret_document = steal(document);
	return 0;
}
