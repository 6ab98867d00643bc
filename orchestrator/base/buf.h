#ifndef KILN_BASE_BUF_H
#define KILN_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/alloc.h"
#include "base/str.h"

/*
 * A growing byte buffer with a mandatory limit. Always ended by a NUL that is not counted. Past
 * the limit nothing is added and `overflow` is set: check it once at the end.
 */
struct buf {
	char *p;      /* NULL while nothing was added; else p[n] == '\0' */
	size_t n;     /* bytes used */
	size_t cap;   /* bytes allocated */
	size_t limit; /* most bytes ever held */
	bool overflow;
};

#define BUF_INIT(most) ((struct buf){ .limit = (most) })
#define _cleanup_buf_ _cleanup_(buf_deinit)

void buf_deinit(struct buf *buf);
void buf_clear(struct buf *buf);
void buf_add(struct buf *buf, const void *p, size_t n);
void buf_add_str(struct buf *buf, const char *s);
void buf_add_char(struct buf *buf, char c);
void buf_fmt(struct buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_fmtv(struct buf *buf, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/* The text so far, never NULL; owned by the buffer. */
const char *buf_text(const struct buf *buf);
struct str buf_str(const struct buf *buf);
/* Hands the bytes over (NUL-ended, never NULL); the buffer is empty afterwards. */
char *buf_steal(struct buf *buf);

#endif
