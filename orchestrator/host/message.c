/* Messages with descriptors. */
#include "host/message.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/fs.h"

union control {
	char bytes[CMSG_SPACE(MESSAGE_FDS * sizeof(int))];
	struct cmsghdr align;
};

/* Kiln may have been started with a standard stream closed. */
int message_pair(int ret[2])
{
	int socks[2], high[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks) < 0)
		return -1;
	for (int i = 0; i < 2; i++)
		high[i] = fcntl(socks[i], F_DUPFD_CLOEXEC, 3);
	for (int i = 0; i < 2; i++)
		close(socks[i]);
	if (high[0] < 0 || high[1] < 0) {
		const int sys = errno;

		fs_close(high[0]);
		fs_close(high[1]);
		errno = sys;
		return -1;
	}
	memcpy(ret, high, sizeof(high));
	return 0;
}

ssize_t message_send(int sock, const void *p, size_t n, const int *fds, size_t n_fds)
{
	union control control;
	struct iovec iov = { (void *)p, n };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t sent;

	if (n_fds) {
		struct cmsghdr *cmsg;

		memset(&control, 0, sizeof(control));
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, n_fds * sizeof(int));
	}
	do
		sent = sendmsg(sock, &msg, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent;
}

ssize_t message_receive(int sock, void *p, size_t n, int flags, int fds[MESSAGE_FDS],
                        size_t *ret_n_fds)
{
	union control control;
	struct iovec iov = { p, n };
	struct msghdr msg = { .msg_iov = &iov,
		              .msg_iovlen = 1,
		              .msg_control = control.bytes,
		              .msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *cmsg;
	ssize_t got;

	*ret_n_fds = 0;
	do
		got = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC | flags);
	while (got < 0 && errno == EINTR);
	cmsg = got < 0 ? NULL : CMSG_FIRSTHDR(&msg);
	if (cmsg && cmsg->cmsg_type == SCM_RIGHTS) {
		*ret_n_fds = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(cmsg), *ret_n_fds * sizeof(int));
	}
	return got;
}
