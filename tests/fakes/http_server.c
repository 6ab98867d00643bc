/* A scripted server for one client at a time: what a network does wrong, on demand. */
#include "fakes/http_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"

enum { REQUEST_MOST = 8192, ASKED_MOST = 1 << 16 };

static void send_all(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n > 0) {
		ssize_t done = send(fd, at, n, MSG_NOSIGNAL);

		if (done <= 0)
			return;
		at += done;
		n -= (size_t)done;
	}
}

/* Where a request asks to begin; -1: it asks for the whole. */
static long range_of(const char *request)
{
	const char *at = strcasestr(request, "\r\nRange: bytes=");

	return at ? strtol(at + strlen("\r\nRange: bytes="), NULL, 10) : -1;
}

static void head(int fd, const char *status, const char *more, size_t n)
{
	char *text =
		str_fmt("HTTP/1.1 %s\r\nConnection: close\r\nETag: \"v1\"\r\n%sContent-Length: "
	                "%zu\r\n\r\n",
	                status, more, n);

	send_all(fd, text, strlen(text));
	free(text);
}

static void send_part(int fd, const char *text, size_t n, long from, bool cut)
{
	size_t left = n - (size_t)(from < 0 ? 0 : from);
	char *more = from < 0 ? str_dup("Accept-Ranges: bytes\r\n") :
	                        str_fmt("Content-Range: bytes %ld-%zu/%zu\r\n", from, n - 1, n);

	head(fd, from < 0 ? "200 OK" : "206 Partial Content", more, left);
	send_all(fd, text + (n - left), cut ? left / 2 : left);
	free(more);
}

/* To the same server by another name for it: "this host". */
static void send_elsewhere(int fd)
{
	struct sockaddr_in address;
	socklen_t size = sizeof(address);
	char *more;

	bug_on(getsockname(fd, (struct sockaddr *)&address, &size) < 0);
	more = str_fmt("Location: http://0.0.0.0:%d/moved\r\n", ntohs(address.sin_port));
	head(fd, "302 Found", more, 0);
	free(more);
}

static void answer(int fd, const char *text, size_t n, enum http_answer how, const char *request)
{
	static const char page[] = "<html>not the file</html>";
	long from = range_of(request);
	char *other;

	if (from >= (long)n)
		from = -1;
	switch (how) {
	case HTTP_WHOLE:
		send_part(fd, text, n, -1, false);
		return;
	case HTTP_RANGES:
	case HTTP_CUT:
		send_part(fd, text, n, from, how == HTTP_CUT);
		return;
	case HTTP_BUSY:
	case HTTP_GONE:
		head(fd, how == HTTP_BUSY ? "503 Service Unavailable" : "404 Not Found", "",
		     sizeof(page) - 1);
		send_all(fd, page, sizeof(page) - 1);
		return;
	case HTTP_HANG_UP:
		return;
	case HTTP_STALL:
		head(fd, "200 OK", "", n);
		pause();
		return;
	case HTTP_CHANGED:
		other = alloc_dup(text, n);
		memset(other, 'x', n);
		send_part(fd, other, n, from, false);
		free(other);
		return;
	case HTTP_REDIRECT:
		head(fd, "302 Found", "Location: /moved\r\n", 0);
		return;
	case HTTP_ASTRAY:
		send_part(fd, text, n, from < 0 ? -1 : 0, from < 0);
		return;
	case HTTP_ELSEWHERE:
		send_elsewhere(fd);
		return;
	case HTTP_TO_FILE:
		head(fd, "302 Found", "Location: file:///etc/passwd\r\n", 0);
		return;
	case HTTP_UNSATISFIED:
		if (from >= 0)
			head(fd, "416 Range Not Satisfiable", "", 0);
		else
			send_part(fd, text, n, -1, false);
		return;
	}
}

static void read_request(int fd, char request[REQUEST_MOST])
{
	size_t n = 0;

	request[0] = '\0';
	while (n + 1 < REQUEST_MOST && !strstr(request, "\r\n\r\n")) {
		ssize_t got = recv(fd, request + n, REQUEST_MOST - 1 - n, 0);

		if (got <= 0)
			return;
		n += (size_t)got;
		request[n] = '\0';
	}
}

static void serve(int listener, int asked, const char *text, size_t n,
                  const enum http_answer *script, size_t steps)
{
	char request[REQUEST_MOST];

	for (size_t i = 0;; i++) {
		int fd = accept(listener, NULL, NULL);
		char *line;

		if (fd < 0)
			_exit(0);
		read_request(fd, request);
		line = str_fmt("%.*s %ld\n", (int)strcspn(request, "\r"), request,
		               range_of(request));
		if (write(asked, line, strlen(line)) < 0)
			_exit(1);
		free(line);
		answer(fd, text, n, script[i < steps ? i : steps - 1], request);
		shutdown(fd, SHUT_WR);
		close(fd);
	}
}

static int listen_loopback(int *ret_port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	bug_on(fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, 8) < 0 ||
	       getsockname(fd, (struct sockaddr *)&address, &size) < 0);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

void http_server_start(struct http_server *server, const char *text, size_t n,
                       const enum http_answer *script, size_t steps)
{
	int listener = listen_loopback(&server->port), ends[2];
	pid_t parent = getpid();

	bug_on(pipe(ends) < 0);
	server->pid = fork();
	bug_on(server->pid < 0);
	if (server->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(0);
		close(ends[0]);
		serve(listener, ends[1], text, n, script, steps);
	}
	close(listener);
	close(ends[1]);
	server->asked = ends[0];
	server->url = str_fmt("http://127.0.0.1:%d/file", server->port);
}

char *http_server_stop(struct http_server *server)
{
	char *text = alloc(ASKED_MOST);
	size_t n = 0;
	ssize_t got;

	kill(server->pid, SIGKILL);
	while (waitpid(server->pid, NULL, 0) < 0 && errno == EINTR)
		;
	while ((got = read(server->asked, text + n, ASKED_MOST - 1 - n)) > 0)
		n += (size_t)got;
	close(server->asked);
	free(server->url);
	server->url = NULL;
	return text;
}
