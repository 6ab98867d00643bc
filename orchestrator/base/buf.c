/* Building bytes. The limit is not optional: what is built from input must not grow without end. */
#include "base/buf.h"

#include <stdio.h>

#include "base/alloc.h"

static bool reserve(struct buf *buf, size_t more)
{
	size_t need;

	if (buf->overflow)
		return false;
	if (__builtin_add_overflow(buf->n, more, &need) || need > buf->limit) {
		buf->overflow = true;
		return false;
	}
	if (need + 1 > buf->cap) {
		size_t cap = buf->cap ? buf->cap : 64;

		while (cap < need + 1)
			cap *= 2;
		buf->p = alloc_grow(buf->p, cap, 1);
		buf->cap = cap;
	}
	return true;
}

void buf_deinit(struct buf *buf)
{
	free(buf->p);
	*buf = BUF_INIT(buf->limit);
}

void buf_clear(struct buf *buf)
{
	buf->n = 0;
	buf->overflow = false;
	if (buf->p)
		buf->p[0] = '\0';
}

void buf_add(struct buf *buf, const void *p, size_t n)
{
	if (!reserve(buf, n))
		return;
	if (n)
		memcpy(buf->p + buf->n, p, n);
	buf->n += n;
	buf->p[buf->n] = '\0';
}

void buf_add_str(struct buf *buf, const char *s)
{
	buf_add(buf, s, strlen(s));
}

void buf_add_char(struct buf *buf, char c)
{
	buf_add(buf, &c, 1);
}

void buf_fmtv(struct buf *buf, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	bug_on(n < 0);
	if (!reserve(buf, (size_t)n))
		return;
	vsnprintf(buf->p + buf->n, (size_t)n + 1, fmt, ap);
	buf->n += (size_t)n;
}

void buf_fmt(struct buf *buf, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_fmtv(buf, fmt, ap);
	va_end(ap);
}

const char *buf_text(const struct buf *buf)
{
	return buf->p ? buf->p : "";
}

struct str buf_str(const struct buf *buf)
{
	return (struct str){ buf_text(buf), buf->n };
}

char *buf_steal(struct buf *buf)
{
	char *p = buf->p ? buf->p : str_dup("");

	*buf = BUF_INIT(buf->limit);
	return p;
}
