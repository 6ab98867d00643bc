/* One request after the other. */
#include "exec/runner.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "exec/carry_out.h"
#include "host/failpoint.h"
#include "host/fs.h"
#include "host/message.h"
#include "host/process.h"

struct message {
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

/* False: there will be none. */
static bool next_message(int sock, int signal_fd, struct message *ret)
{
	static char bytes[WIRE_REQUEST_MAX];
	struct pollfd p[2] = { { sock, POLLIN, 0 }, { signal_fd, POLLIN, 0 } };
	int fds[MESSAGE_FDS];
	size_t n_fds;
	ssize_t n;

	while (poll(p, 2, -1) < 0)
		if (errno != EINTR)
			return false;
	if (p[1].revents)
		return false;
	n = message_receive(sock, bytes, sizeof(bytes), fds, &n_fds);
	if (n <= 0 || n_fds == 0)
		return false;
	*ret = (struct message){ { bytes, (size_t)n }, fds[0], n_fds > 1 ? fds[1] : 0 };
	return true;
}

/* The server is told first, or it would fork another for whoever asks at once. */
static bool answer(int sock, bool more, const struct buf *reply, int reply_fd)
{
	struct err ignored = ERR_INIT;

	if (more && (failpoint("runner-idle") || message_send(sock, "", 1, NULL, 0) < 0))
		more = false;
	if (!failpoint("runner-reply"))
		fs_write_all(reply_fd, reply->p, reply->n, "the reply", &ignored);
	return more;
}

static bool serve(struct workshop *shop, int sock, struct message *message)
{
	_cleanup_buf_ struct buf reply = BUF_INIT(WIRE_REPLY_MAX);
	bool more;

	/* What one stage's programs leave in a keyring is not the next one's. */
	process_new_keyring();
	more = carry_out(shop, message->request, message->userns_fd, message->reply_fd, &reply);
	more = answer(sock, more, &reply, message->reply_fd);
	fs_close(message->reply_fd);
	if (message->userns_fd)
		close(message->userns_fd);
	return more;
}

void runner_main(int sock, struct groups *groups)
{
	struct workshop *shop = workshop_new(groups);
	_cleanup_fd_ int signal_fd = failpoint("runner-signals") ? -1 : take_term();
	struct message message;

	while (signal_fd >= 0 && next_message(sock, signal_fd, &message) &&
	       serve(shop, sock, &message))
		;
	workshop_free(shop);
}
