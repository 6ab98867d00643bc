#ifndef KILN_TESTS_FAKES_HTTP_SERVER_H
#define KILN_TESTS_FAKES_HTTP_SERVER_H

#include <stddef.h>
#include <sys/types.h>

/*
 * A server on a loopback port that answers each connection by the next step of a script, in a child
 * process. What was asked is noted, so that a test can count.
 */
enum http_answer {
	HTTP_WHOLE,     /* 200 with the file */
	HTTP_RANGES,    /* 206 from where a Range asks, else 200 */
	HTTP_CUT,       /* as HTTP_RANGES, but half of what is left is sent, then the line breaks */
	HTTP_BUSY,      /* 503 with a page */
	HTTP_GONE,      /* 404 with a page */
	HTTP_HANG_UP,   /* not a byte */
	HTTP_STALL,     /* a head, then silence */
	HTTP_CHANGED,   /* 206 as asked, but bytes of another file */
	HTTP_REDIRECT,  /* 302 to /moved on this server */
	HTTP_TO_FILE,   /* 302 to file:///etc/passwd */
	HTTP_ASTRAY,    /* 206 from the begin, wherever a Range asks from */
	HTTP_ELSEWHERE, /* 302 to plain http by an address that is no loopback's */
	HTTP_UNSATISFIED /* 416 to a Range, else 200 */
};

struct http_server {
	pid_t pid;
	int port;
	char *url; /* http://127.0.0.1:PORT/file */
	int asked; /* a pipe: one line for each request, "GET /file RANGE\n" */
};

/* The last step of the script answers all further connections. `text` is the file. */
void http_server_start(struct http_server *server, const char *text, size_t n,
                       const enum http_answer *script, size_t steps);
/* Ends it and gives what was asked, line by line; the caller frees. */
char *http_server_stop(struct http_server *server);

#endif
