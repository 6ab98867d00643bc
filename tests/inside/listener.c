/*
 * usage: listener ABSTRACT PATH <FIFO
 * What attempts to leave a stage look for, on the machine outside: TCP on all of its addresses, UDP, an
 * abstract UNIX socket and one with a path. Prints "TCP4 TCP6 UDP", as ports, 0 where there is none; ends
 * with its standard input.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int listening(int family, const void *address, socklen_t n)
{
	int sock = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return bind(sock, address, n) < 0 || listen(sock, 8) < 0 ? -1 : sock;
}

static unsigned int port_of(int sock)
{
	struct sockaddr_in6 address;
	socklen_t n = sizeof(address);

	getsockname(sock, (struct sockaddr *)&address, &n);
	return ntohs(address.sin6_port); /* where IPv4 has it too */
}

static void serve(int sock) __attribute__((noreturn));
static void serve(int sock)
{
	for (;;) {
		int at = accept(sock, NULL, NULL);

		(void)!write(at, "K", 1);
		close(at);
	}
}

static void serve_datagrams(int sock) __attribute__((noreturn));
static void serve_datagrams(int sock)
{
	for (;;) {
		struct sockaddr_in from;
		socklen_t n = sizeof(from);
		char byte;

		if (recvfrom(sock, &byte, 1, 0, (struct sockaddr *)&from, &n) > 0)
			(void)!sendto(sock, "K", 1, 0, (struct sockaddr *)&from, n);
	}
}

static int open_v6(void)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_addr = in6addr_any };
	int only = 1, sock = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(sock, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
	return bind(sock, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(sock, 8) < 0 ?
	               -1 :
	               sock;
}

int main(int argc, char **argv)
{
	struct sockaddr_in any = { .sin_family = AF_INET };
	struct sockaddr_un named = { .sun_family = AF_UNIX }, path = { .sun_family = AF_UNIX };
	int socks[4], udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	size_t n = argc == 3 ? strlen(argv[1]) : 0;
	char byte;

	if (n == 0 || n > 100 || strlen(argv[2]) > 100 || setpgid(0, 0) < 0)
		return 2;
	memcpy(named.sun_path + 1, argv[1], n);
	memcpy(path.sun_path, argv[2], strlen(argv[2]));
	n += offsetof(struct sockaddr_un, sun_path) + 1;
	socks[0] = listening(AF_INET, &any, sizeof(any));
	socks[1] = open_v6();
	socks[2] = listening(AF_UNIX, &named, (socklen_t)n);
	socks[3] = listening(AF_UNIX, &path, sizeof(path));
	if (bind(udp, (struct sockaddr *)&any, sizeof(any)) < 0 || chmod(argv[2], 0777) < 0)
		return 2;
	printf("%u %u %u\n", port_of(socks[0]), socks[1] < 0 ? 0 : port_of(socks[1]), port_of(udp));
	fflush(stdout);
	for (int i = 0; i < 5; i++)
		if (fork() == 0) {
			if (i == 4)
				serve_datagrams(udp);
			serve(socks[i]);
		}
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	kill(0, SIGTERM);
	return 0;
}
