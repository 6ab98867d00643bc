/* One handler, one signalfd: nothing else in Kiln touches signals of its own process. */
#include "cli/signals.h"

#include "host/failpoint.h"

#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void on_signal(int number)
{
	static const char text[] = "\nkiln: interrupted; what is complete is kept, run the same "
				   "command to go on\n";
	ssize_t n = write(STDERR_FILENO, text, sizeof(text) - 1);

	(void)n;
	(void)number;
	_exit(6);
}

/* A closed terminal ends a run like Ctrl-C, unless nohup said that it must not. */
static bool minds_hangup(void)
{
	struct sigaction now;

	return sigaction(SIGHUP, NULL, &now) == 0 && now.sa_handler != SIG_IGN;
}

void signals_default_to_exit(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (minds_hangup())
		sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void both(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	if (minds_hangup())
		sigaddset(set, SIGHUP);
}

int signals_hold(int *ret_fd, struct err *err)
{
	sigset_t set;
	int fd;

	both(&set);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return err_sys(err, ERR_MACHINE, "cannot hold signals");
	fd = failpoint("signals-hold") ? -1 : signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return err_sys(err, ERR_MACHINE, "cannot read signals");
	*ret_fd = fd;
	return 0;
}

void signals_release(int fd)
{
	struct signalfd_siginfo info;
	sigset_t set;

	both(&set);
	while (fd >= 0 && read(fd, &info, sizeof(info)) > 0)
		continue;
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	if (fd >= 0)
		close(fd);
}

/* ---- the terminal ------------------------------------------------------------------------- */

/* Held back and asked for, a signal needs no variable that a handler sets. */
static void mask_stop(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	sigprocmask(how, &set, NULL);
}

static void wake(int number)
{
	(void)number;
}

/* What ends Kiln at once ends it, but the cursor that the board hid is seen again. */
static void on_sudden_end(int number)
{
	static const char text[] = "\033[?25h\n";
	ssize_t n = write(STDERR_FILENO, text, sizeof(text) - 1);

	(void)n;
	raise(number);
}

static const int sudden[] = { SIGQUIT, SIGABRT };

void signals_watch_terminal(void)
{
	struct sigaction action = { .sa_handler = wake };
	struct sigaction end = { .sa_handler = on_sudden_end, .sa_flags = (int)SA_RESETHAND };

	sigemptyset(&action.sa_mask);
	sigemptyset(&end.sa_mask);
	sigaction(SIGWINCH, &action, NULL);
	sigaction(SIGCONT, &action, NULL);
	for (size_t i = 0; i < sizeof(sudden) / sizeof(sudden[0]); i++)
		sigaction(sudden[i], &end, NULL);
	mask_stop(SIG_BLOCK);
}

bool signals_is_stopping(void)
{
	sigset_t set;

	return sigpending(&set) == 0 && sigismember(&set, SIGTSTP) == 1;
}

void signals_stop(void)
{
	mask_stop(SIG_UNBLOCK);
	mask_stop(SIG_BLOCK);
}

void signals_leave_terminal(void)
{
	mask_stop(SIG_UNBLOCK);
	signal(SIGWINCH, SIG_DFL);
	signal(SIGCONT, SIG_DFL);
	for (size_t i = 0; i < sizeof(sudden) / sizeof(sudden[0]); i++)
		signal(sudden[i], SIG_DFL);
}
