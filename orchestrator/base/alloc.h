#ifndef KILN_BASE_ALLOC_H
#define KILN_BASE_ALLOC_H

#include <stddef.h>
#include <stdlib.h>

/*
 * Memory from the heap. None of these returns NULL: when memory is gone the program says so and
 * aborts, in one place. Sizes that come from outside are capped by the caller before they come here.
 */

void *alloc(size_t size);                 /* zeroed */
void *alloc_array(size_t n, size_t size); /* zeroed; overflow aborts */
void *alloc_grow(void *p, size_t n, size_t size);
void *alloc_dup(const void *p, size_t size); /* size 0 gives a valid pointer */
char *str_dup(const char *s);                /* NULL gives NULL */
char *str_dup_n(const char *s, size_t n);
char *str_fmt(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Declares a local that frees itself: `_cleanup_free_ char *p = …`. */
void alloc_cleanup(void *pp);
#define _cleanup_free_ __attribute__((cleanup(alloc_cleanup)))
#define _cleanup_(fn) __attribute__((cleanup(fn)))

/* Hands a pointer over: the variable is NULL afterwards. */
#ifdef __cppcheck__ /* it cannot parse statement expressions */
#define steal(p) (p)
#else
#define steal(p)                                                                                   \
	({                                                                                         \
		__typeof__(p) _steal_tmp = (p);                                                    \
		(p) = NULL;                                                                        \
		_steal_tmp;                                                                        \
	})
#endif

/* Fills a cleanup function for a type with a `T *T_free(T *)`. */
#define DEFINE_CLEANUP(type, name)                                                                 \
	static inline void name##_cleanup(type **pp)                                               \
	{                                                                                          \
		if (*pp)                                                                           \
			name##_free(*pp);                                                          \
	}

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* A condition that only a bug in Kiln can break; never judges input. Exits with status 70. */
void bug_at(const char *file, int line, const char *expr) __attribute__((noreturn));
#define bug_on(cond)                                                                               \
	do {                                                                                       \
		if (__builtin_expect(!!(cond), 0))                                                 \
			bug_at(__FILE__, __LINE__, #cond);                                         \
	} while (0)

#endif
