/* From what came into a stage's log to one line on somebody's terminal. */
#include "exec/said.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "exec/wire.h"
#include "host/clock.h"

/* TAIL: of a file, what is looked at for its last line. */
enum { PACE_US = 250000, TAIL = 2048 };

void said_init(struct said *said, int fd)
{
	*said = (struct said){ .fd = fd, .file = -1 };
	if (fd >= 0 && fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		said->fd = -1;
}

void said_end(struct said *said)
{
	if (said->fd >= 0)
		fcntl(said->fd, F_SETFL, 0);
	said->fd = -1;
}

int said_within(const struct said *said, int ms)
{
	int64_t left;

	if (said->file < 0)
		return ms;
	left = (said->next_us - clock_mono_us()) / 1000 + 1;
	left = left < 0 ? 0 : left;
	return ms < 0 || left < ms ? (int)left : ms;
}

/* ---- one line ------------------------------------------------------------------------------ */

/* The bytes of an escape sequence (ECMA-48: CSI, OSC and its like, or two bytes) at the front. */
static size_t escape_at(struct str s)
{
	size_t n = 2;

	if (s.n < 2)
		return s.n;
	if (s.p[1] == '[') {
		while (n < s.n && ((unsigned char)s.p[n] < 0x40 || (unsigned char)s.p[n] > 0x7e))
			n++;
		return n < s.n ? n + 1 : n;
	}
	if (!strchr("]PX^_", s.p[1]))
		return n;
	while (n < s.n && s.p[n] != '\a' && s.p[n] != '\033')
		n++;
	return n < s.n && s.p[n] == '\a' ? n + 1 : n + 2 < s.n ? n + 2 : s.n;
}

/* Without control characters; blanks at both ends go too. Returns how many bytes. */
static size_t strip(struct str line, char *out)
{
	size_t n = 0;

	while (line.n) {
		unsigned char c = (unsigned char)line.p[0];
		size_t skip = c == '\033' ? escape_at(line) : 1;

		if (c == '\t')
			c = ' ';
		if (c >= 0x20 && c != 0x7f && (c != ' ' || n))
			out[n++] = (char)c;
		line.p += skip;
		line.n -= skip;
	}
	while (n && out[n - 1] == ' ')
		n--;
	return n;
}

/* Cuts the last part behind a separator off the end. */
static struct str cut_last(struct str *rest, char sep)
{
	const char *at = rest->n ? memrchr(rest->p, sep, rest->n) : NULL;
	struct str part = *rest;

	if (!at) {
		rest->n = 0;
		return part;
	}
	part.p = at + 1;
	part.n = rest->n - (size_t)(at + 1 - rest->p);
	rest->n = (size_t)(at - rest->p);
	return part;
}

void said_line(struct str text, char ret[SAID_MOST])
{
	size_t n = 0;

	ret[0] = '\0';
	/* A tail may begin in the middle of a character. */
	while (text.n && ((unsigned char)text.p[0] & 0xc0) == 0x80) {
		text.p++;
		text.n--;
	}
	while (text.n && !n) {
		struct str line = cut_last(&text, '\n');

		while (line.n && !n) {
			struct str state = cut_last(&line, '\r');
			_cleanup_free_ char *bare = alloc(state.n + 1);
			_cleanup_free_ char *clean = NULL;

			n = strip(state, bare);
			clean = str_clean((struct str){ bare, n });
			n = strnlen(clean, SAID_MOST - 1);
			while (n && ((unsigned char)clean[n] & 0xc0) == 0x80)
				n--;
			memcpy(ret, clean, n);
			ret[n] = '\0';
		}
	}
}

/* ---- telling ------------------------------------------------------------------------------- */

static void look(struct said *said, char line[SAID_MOST])
{
	char tail[TAIL];
	off_t end = lseek(said->file, 0, SEEK_CUR);
	off_t from = end > TAIL ? end - TAIL : 0;
	ssize_t n = end > 0 ? pread(said->file, tail, (size_t)(end - from), from) : 0;

	said_line((struct str){ tail, n > 0 ? (size_t)n : 0 }, line);
}

void said_tell(struct said *said)
{
	_cleanup_buf_ struct buf message = BUF_INIT(PIPE_BUF);
	char line[SAID_MOST];
	int64_t now;

	if (said->file < 0)
		return;
	now = clock_mono_us();
	if (now < said->next_us)
		return;
	said->next_us = now + PACE_US;
	look(said, line);
	said->file = -1;
	if (!line[0] || str_eq(line, said->last))
		return;
	wire_put_said(line, &message);
	/* All of it or nothing: a message of that size is never written in parts. */
	if (write(said->fd, message.p, message.n) == (ssize_t)message.n)
		memcpy(said->last, line, sizeof(line));
}
