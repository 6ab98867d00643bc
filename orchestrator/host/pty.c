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

/* Copies what is there. Returns whether more may come. */
static bool pass(int from, int to)
{
	char chunk[16384];
	struct err ignored = ERR_INIT;
	ssize_t n = read(from, chunk, sizeof(chunk));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	return n > 0 && fs_write_all(to, chunk, (size_t)n, "the terminal", &ignored) == 0;
}

/* What the child wrote before it ended. */
static void pass_rest(int master)
{
	struct pollfd p = { master, POLLIN, 0 };

	while (poll(&p, 1, 0) > 0 && (p.revents & POLLIN) && pass(master, STDOUT_FILENO))
		;
}

static int relay(int master, int pidfd, int signals, struct err *err)
{
	bool typing = true;

	for (;;) {
		struct pollfd p[] = { { typing ? STDIN_FILENO : -1, POLLIN, 0 },
			              { master, POLLIN, 0 },
			              { pidfd, POLLIN, 0 },
			              { signals, POLLIN, 0 } };
		struct signalfd_siginfo info;

		if (poll(p, 4, -1) < 0 && errno != EINTR)
			return err_sys(err, ERR_IO, "cannot wait for the shell");
		if (p[3].revents && read(signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
			pass_size(master);
		if (p[0].revents)
			typing = pass(STDIN_FILENO, master);
		if (p[1].revents & POLLIN)
			pass(master, STDOUT_FILENO);
		if (p[2].revents) {
			pass_rest(master);
			return 0;
		}
	}
}

int pty_relay(int master, int pidfd, struct err *err)
{
	_cleanup_fd_ int signals = -1;
	struct termios before, raw;
	sigset_t set, old;
	int rc;

	if (tcgetattr(STDIN_FILENO, &before) < 0)
		return err_sys(err, ERR_MACHINE, "cannot read the terminal's settings");
	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, &old);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
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
