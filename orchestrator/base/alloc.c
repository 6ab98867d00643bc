/*
 * Heap memory that never fails upwards: a release tool can do nothing useful without memory, and
 * a thousand untested error paths would be worse than one clean end. Children of Kiln that die
 * here are seen by their parent as a failed stage.
 */
#include "base/alloc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void say(const char *text)
{
	ssize_t n = write(STDERR_FILENO, text, strlen(text));
	(void)n;
}

static void __attribute__((noreturn)) out_of_memory(void)
{
	say("kiln: out of memory\n");
	abort();
}

void bug_at(const char *file, int line, const char *expr)
{
	char text[512];

	snprintf(text, sizeof(text),
	         "kiln: a bug in Kiln: %s:%d: \"%s\" holds; please report it with the command you "
	         "ran\n",
	         file, line, expr);
	say(text);
	if (isatty(STDERR_FILENO))
		say("\033[?25h"); /* a board may have hidden the cursor */
	_exit(70);
}

void *alloc(size_t size)
{
	void *p = calloc(1, size ? size : 1);

	if (!p)
		out_of_memory();
	return p;
}

void *alloc_array(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		out_of_memory();
	return p;
}

void *alloc_grow(void *p, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total))
		out_of_memory();
	p = realloc(p, total ? total : 1);
	if (!p)
		out_of_memory();
	return p;
}

void *alloc_dup(const void *p, size_t size)
{
	void *copy = malloc(size ? size : 1);

	if (!copy)
		out_of_memory();
	if (size)
		memcpy(copy, p, size);
	return copy;
}

char *str_dup_n(const char *s, size_t n)
{
	char *copy = alloc(n + 1);

	if (n)
		memcpy(copy, s, n);
	return copy;
}

char *str_dup(const char *s)
{
	return s ? str_dup_n(s, strlen(s)) : NULL;
}

char *str_fmt(const char *fmt, ...)
{
	va_list ap;
	char *out = NULL;

	va_start(ap, fmt);
	if (vasprintf(&out, fmt, ap) < 0)
		out_of_memory();
	va_end(ap);
	return out;
}

void alloc_cleanup(void *pp)
{
	free(*(void **)pp);
}
