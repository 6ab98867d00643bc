/* Pseudo terminals: see pty(7), termios(3). */
#include "host/pty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "host/fs.h"

int pty_open(int *ret_master, int *ret_slave, struct err *err)
{
	_cleanup_fd_ int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	char name[128];
	int slave;

	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0 ||
	    ptsname_r(master, name, sizeof(name)) != 0)
		return err_sys(err, ERR_MACHINE, "cannot make a terminal for the shell");
	slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return err_sys(err, ERR_MACHINE, "cannot open the shell's terminal %s", name);
	*ret_master = master;
	*ret_slave = slave;
	master = -1;
	return 0;
}

static void pass_size(int master)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		ioctl(master, TIOCSWINSZ, &size);
}

/* Shows what is there. */
static void show(int master)
{
	char chunk[16384];
	struct err ignored = ERR_INIT;
	ssize_t n = read(master, chunk, sizeof(chunk));

	if (n > 0)
		fs_write_all(STDOUT_FILENO, chunk, (size_t)n, "the terminal", &ignored);
}

/* What the child wrote before it ended. */
static void show_rest(int master)
{
	struct pollfd p = { master, POLLIN, 0 };

	while (poll(&p, 1, 0) > 0 && (p.revents & POLLIN))
		show(master);
}

/* What was typed and is not taken yet: a master that is full must not keep its output from being shown,
 * or both sides would wait for each other. */
struct typed {
	char text[16384];
	size_t from, n;
	bool ended;
};

static void take_typed(struct typed *typed)
{
	ssize_t n = read(STDIN_FILENO, typed->text, sizeof(typed->text));

	typed->from = 0;
	typed->n = n > 0 ? (size_t)n : 0;
	typed->ended = n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN);
}

static void give_typed(struct typed *typed, int master)
{
	ssize_t n = write(master, typed->text + typed->from, typed->n);

	if (n > 0) {
		typed->from += (size_t)n;
		typed->n -= (size_t)n;
	} else if (n < 0 && errno != EINTR && errno != EAGAIN) {
		typed->n = 0;
		typed->ended = true;
	}
}

/* Returns 0, or -1 for a signal that ends. */
static int take_signal(int signals, int master, struct err *err)
{
	struct signalfd_siginfo info;

	while (read(signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo != SIGWINCH)
			return err_set(err, ERR_INTERRUPTED, "interrupted; the shell was ended");
		pass_size(master);
	}
	return 0;
}

static int relay(int master, int pidfd, int signals, struct err *err)
{
	struct typed typed = { .n = 0 };

	for (;;) {
		struct pollfd p[] = {
			{ typed.n || typed.ended ? -1 : STDIN_FILENO, POLLIN, 0 },
			{ master, (short)(POLLIN | (typed.n ? POLLOUT : 0)), 0 },
			{ pidfd, POLLIN, 0 },
			{ signals, POLLIN, 0 },
		};

		if (poll(p, 4, -1) < 0 && errno != EINTR)
			return err_sys(err, ERR_IO, "cannot wait for the shell");
		if (p[3].revents && take_signal(signals, master, err) < 0)
			return -1;
		if (p[0].revents)
			take_typed(&typed);
		if (p[1].revents & POLLIN)
			show(master);
		if (p[1].revents & POLLOUT)
			give_typed(&typed, master);
		if (p[2].revents) {
			show_rest(master);
			return 0;
		}
	}
}

int pty_relay(int master, int pidfd, struct err *err)
{
	static const int taken[] = { SIGWINCH, SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	_cleanup_fd_ int signals = -1;
	struct termios before, raw;
	sigset_t set, old;
	int rc;

	if (tcgetattr(STDIN_FILENO, &before) < 0)
		return err_sys(err, ERR_MACHINE, "cannot read the terminal's settings");
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		sigaddset(&set, taken[i]);
	sigprocmask(SIG_BLOCK, &set, &old);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	fcntl(master, F_SETFL, O_NONBLOCK);
	raw = before;
	cfmakeraw(&raw);
	pass_size(master);
	if (signals < 0 || tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0) {
		rc = err_sys(err, ERR_MACHINE, "cannot change the terminal's settings");
	} else {
		rc = relay(master, pidfd, signals, err);
		tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	return rc;
}
