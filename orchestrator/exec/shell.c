/*
 * A process of its own lays the stage out, as a runner does, and waits for the shell; this one passes
 * on what is typed. The shell's environment has two variables more than the stage's: PS1, and STAGE with
 * the command that the stage runs.
 */
#include "exec/shell.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "exec/run.h"
#include "host/fs.h"
#include "host/process.h"
#include "host/pty.h"
#include "host/terminal.h"
#include "sandbox/identity.h"

/* With a terminal the shell leads its session, so that it has job control; setsid(1) is in every image
 * of Debian. Whatever it says of itself at its start is not the stage's. */
static const char script[] =
	"sh=$(command -v bash || command -v sh)\n"
	"[ -t 0 ] || exec \"$sh\"\n"
	"case $sh in *bash) set -- --norc --noprofile -i ;; *) set -- -i ;; esac\n"
	"command -v setsid >/dev/null || exec \"$sh\" \"$@\"\n"
	"exec setsid -c -w \"$sh\" \"$@\"\n";

enum { GRACE_MS = 2000 };

struct shell {
	const struct shell_request *request;
	int master, slave; /* -1: no terminal */
	int err_file;      /* what went wrong in the other process */
};

/* ---- in the other process --------------------------------------------------------------------- */

static void add_env(struct run *run, const char *name, const char *value)
{
	struct action_env *env = arena_array(run->arena, run->spec.n_env + 1, sizeof(*env));
	size_t n = 0, i = 0;

	while (i < run->spec.n_env && strcmp(run->spec.env[i].name, name) < 0)
		env[n++] = run->spec.env[i++];
	if (i < run->spec.n_env && str_eq(run->spec.env[i].name, name))
		i++;
	env[n++] = (struct action_env){ name, value };
	while (i < run->spec.n_env)
		env[n++] = run->spec.env[i++];
	run->spec.env = env;
	run->spec.n_env = n;
}

/* What the action runs, as one line for a shell. */
static const char *command_line(struct run *run)
{
	_cleanup_buf_ struct buf text = BUF_INIT(16 << 20);

	for (size_t i = 0; i < run->action.n_argv; i++) {
		_cleanup_free_ char *word = str_quote(run->action.argv[i]);

		buf_fmt(&text, "%s%s", i ? " " : "", word);
	}
	return arena_str(run->arena, buf_text(&text));
}

static int set_up(struct run *run, const struct shell *shell, struct err *err)
{
	const char *const argv[] = { "/bin/sh", "-c", script, "kiln-shell", NULL };
	const bool tty = shell->slave >= 0;

	if (run_prepare(run, err) < 0)
		return -1;
	if (run->builtin)
		return err_set(err, ERR_USAGE,
		               "%s is a step of Kiln's own (%s): it runs no program",
		               run->request.address, run->action.builtin);
	/* Before its words are replaced. */
	add_env(run, "STAGE", command_line(run));
	run->spec.argv = arena_dup(run->arena, argv, sizeof(argv));
	fs_close(run->spec.stdin_fd);
	run->spec.stdin_fd = tty ? shell->slave : STDIN_FILENO;
	run->spec.stdout_fd = tty ? shell->slave : STDOUT_FILENO;
	run->spec.stderr_fd = tty ? shell->slave : STDERR_FILENO;
	if (tty && sandbox_drops())
		(void)!fchown(shell->slave, sandbox_uid(), sandbox_gid());
	add_env(run, "PS1", arena_fmt(run->arena, "[%s] \\w$ ", run->request.address));
	if (tty)
		add_env(run, "TERM", "xterm");
	return 0;
}

static void say(const struct shell *shell, const struct err *err)
{
	(void)!pwrite(shell->err_file, err, sizeof(*err), 0);
}

/* Waits for the shell, and ends whatever it left running. */
static int wait_for(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	do
		process_kill_others(NULL, 0);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int run_shell(struct run *run, const struct shell *shell, struct err *err)
{
	pid_t pid;

	if (set_up(run, shell, err) < 0 || sandbox_load(run->runtime, &run->spec, err) < 0)
		return -1;
	pid = fork();
	if (pid < 0)
		return err_sys(err, ERR_IO, "cannot fork");
	if (pid == 0) {
		struct err fault = ERR_INIT;

		run->runtime->enter(&run->spec, &fault);
		say(shell, &fault);
		_exit(1);
	}
	return wait_for(pid);
}

static void be_keeper(const struct shell *shell, pid_t parent) __attribute__((noreturn));
static void be_keeper(const struct shell *shell, pid_t parent)
{
	struct run run = RUN_INIT;
	struct err err = ERR_INIT;
	int rc;

	run.arena = arena_new();
	run.shop = workshop_new(NULL);
	run.tree = shell->request->tree;
	run.request = shell->request->stage;
	process_reset_signals(); /* what a signal is told as is the other process's to say */
	if (shell->master >= 0)
		close(shell->master); /* or its end would never be the terminal's */
	if (!process_die_with_parent(parent))
		_exit(1);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	rc = run_shell(&run, shell, &err);
	if (rc < 0)
		say(shell, &err);
	run.spec.stdin_fd = -1; /* the terminal, or this process's own */
	run_end(&run);
	workshop_free(run.shop);
	_exit(rc < 0 ? 1 : rc);
}

char *exec_shell_failed(const char *store_dir, const struct digest *action)
{
	return work_kept(store_dir, action);
}

/* ---- in this one ----------------------------------------------------------------------------- */

static int read_fault(const struct shell *shell, struct err *err)
{
	struct err fault;

	if (pread(shell->err_file, &fault, sizeof(fault), 0) != (ssize_t)sizeof(fault) ||
	    fault.code == ERR_NONE)
		return 0;
	*err = fault;
	return -1;
}

/* Who does not hear that the terminal is gone is killed. */
static void end(pid_t pid, int pidfd)
{
	struct pollfd p = { pidfd, POLLIN, 0 };

	if (poll(&p, 1, GRACE_MS) == 0)
		kill(pid, SIGKILL);
}

static int attend(struct shell *shell, pid_t pid, int *ret_code, struct err *err)
{
	_cleanup_fd_ int pidfd = process_pidfd(pid);
	int status = 0, rc = 0;

	shell->slave = fs_close(shell->slave);
	if (shell->master >= 0 && pidfd >= 0)
		rc = pty_relay(shell->master, pidfd, err);
	shell->master = fs_close(shell->master); /* hangs up on what still runs */
	if (rc < 0 && pidfd >= 0)
		end(pid, pidfd);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	*ret_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return rc < 0 ? -1 : read_fault(shell, err);
}

/* What runs in there could read keys from a terminal that it is given only to write to. */
static int check_streams(struct err *err)
{
	static const char *const names[] = { "input", "output", "error" };

	for (int fd = 0; fd < 3; fd++) {
		if (!terminal_is(fd))
			continue;
		err_set(err, ERR_USAGE,
		        "the shell's standard %s is a terminal, and not all of its streams are",
		        names[fd]);
		return err_hint(err, "type in it on a terminal, or give it none: kiln shell STAGE "
		                     "<script 2>&1 | cat");
	}
	return 0;
}

int exec_shell(const struct shell_request *request, int *ret_code, struct err *err)
{
	struct shell shell = { request, -1, -1, -1 };
	const pid_t self = getpid();
	int rc = 0;
	pid_t pid;

	shell.err_file = memfd_create("error", MFD_CLOEXEC);
	if (shell.err_file < 0)
		return err_sys(err, ERR_IO, "cannot make a file in memory");
	if (terminal_is(STDIN_FILENO) && terminal_is(STDOUT_FILENO))
		rc = pty_open(&shell.master, &shell.slave, err);
	else
		rc = check_streams(err);
	pid = rc < 0 ? -1 : fork();
	if (pid == 0)
		be_keeper(&shell, self);
	if (rc == 0 && pid < 0)
		rc = err_sys(err, ERR_IO, "cannot fork");
	if (rc == 0)
		rc = attend(&shell, pid, ret_code, err);
	fs_close(shell.master);
	fs_close(shell.slave);
	fs_close(shell.err_file);
	return rc;
}
