/* One request after the other. */
#include "exec/runner.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "exec/carry_out.h"
#include "host/failpoint.h"
#include "host/fs.h"
#include "host/message.h"
#include "host/process.h"

/* What it is asked to do. */
struct errand {
	int serial;
	struct str request;
	int reply_fd, userns_fd; /* userns_fd: 0, there is none */
};

/* A cancel that comes while inputs are laid out waits for the stage to be started. */
static int take_term(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static bool take_errand(int sock, int flags, struct errand *ret)
{
	static char bytes[RUNNER_REQUEST_MAX];
	int fds[MESSAGE_FDS];
	size_t n_fds;
	const ssize_t n = message_receive(sock, bytes, sizeof(bytes), flags, fds, &n_fds);

	if (n < (ssize_t)sizeof(ret->serial) || n_fds == 0)
		return false;
	memcpy(&ret->serial, bytes, sizeof(ret->serial));
	ret->request = (struct str){ bytes + sizeof(ret->serial), (size_t)n - sizeof(ret->serial) };
	ret->reply_fd = fds[0];
	ret->userns_fd = n_fds > 1 ? fds[1] : 0;
	return true;
}

static void drop_errand(struct errand *errand)
{
	fs_close(errand->reply_fd);
	if (errand->userns_fd)
		close(errand->userns_fd);
}

/* Whoever gave it wants it no more. Any other SIGTERM is of somebody who knows nothing of it. */
static bool cancels(const struct signalfd_siginfo *info, const struct errand *errand)
{
	return info->ssi_code == SI_QUEUE && info->ssi_int == errand->serial;
}

/* The server has ended, or wants that. */
static bool is_hung_up(int sock)
{
	struct pollfd p = { sock, 0, 0 };

	return poll(&p, 1, 0) != 0;
}

/*
 * False: there will be none. A SIGTERM while there is none ends the runner, but what the server has given it by
 * then it does, unless that or all is to end: nobody else would. Afterwards the server can give it nothing.
 */
static bool next_errand(int sock, int signal_fd, struct errand *ret)
{
	struct pollfd p[2] = { { sock, POLLIN, 0 }, { signal_fd, POLLIN, 0 } };
	struct signalfd_siginfo info = { 0 };

	while (poll(p, 2, -1) < 0)
		if (errno != EINTR)
			return false;
	if (!p[1].revents)
		return take_errand(sock, 0, ret);
	/* Read first: one that comes later waits for the stage. */
	(void)!read(signal_fd, &info, sizeof(info));
	if (is_hung_up(sock))
		return false;
	shutdown(sock, SHUT_RD);
	if (!take_errand(sock, MSG_DONTWAIT, ret))
		return false;
	if (!cancels(&info, ret))
		return true;
	drop_errand(ret);
	return false;
}

/* The server is told first, or it would fork another for whoever asks at once. */
static void answer(int sock, struct workshop *shop, const struct buf *reply, int reply_fd)
{
	struct err ignored = ERR_INIT;

	if (!shop->spent && (failpoint("runner-idle") || message_send(sock, "", 1, NULL, 0) < 0))
		shop->spent = true;
	if (!failpoint("runner-reply"))
		fs_write_all(reply_fd, reply->p, reply->n, "the reply", &ignored);
}

static bool run_errand(struct workshop *shop, int sock, struct errand *errand)
{
	_cleanup_buf_ struct buf reply = BUF_INIT(WIRE_REPLY_MAX);

	/* What one stage's programs leave in a keyring is not the next one's. */
	if (!process_new_keyring())
		shop->spent = true;
	carry_out(shop, errand->request, errand->userns_fd, errand->reply_fd, &reply);
	answer(sock, shop, &reply, errand->reply_fd);
	drop_errand(errand);
	return !shop->spent;
}

void runner_main(int sock, struct groups *groups)
{
	struct workshop *shop = workshop_new(groups);
	_cleanup_fd_ int signal_fd = failpoint("runner-signals") ? -1 : take_term();
	struct errand errand;

	while (signal_fd >= 0 && next_errand(sock, signal_fd, &errand) &&
	       run_errand(shop, sock, &errand))
		;
	workshop_free(shop);
}
