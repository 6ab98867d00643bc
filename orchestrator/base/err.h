#ifndef KILN_BASE_ERR_H
#define KILN_BASE_ERR_H

#include <stdarg.h>

/*
 * An error lives by value on the caller's stack. The *cause* is the first thing that went wrong
 * and is never overwritten; the *trail* is context that callers add on the way up; the *hint* says
 * what the user can do. Every fallible function takes `struct err *err` last and returns 0 (done),
 * -1 (failed, err filled), or a positive outcome that its header names.
 */
enum err_code {
	ERR_NONE = 0,
	ERR_STAGE,       /* a stage failed                                     → exit 1 */
	ERR_USAGE,       /* the command line is wrong                          → exit 2 */
	ERR_INPUT,       /* recipe, toolchain, container, lock or pinned hash  → exit 3 */
	ERR_DENIED,      /* a gate or a verification said no                   → exit 4 */
	ERR_MACHINE,     /* the machine lacks something                        → exit 5 */
	ERR_INTERRUPTED, /* SIGINT or SIGTERM                                  → exit 6 */
	ERR_IO,          /* network, disk or store failed; a retry may help    → exit 7 */
	ERR_BUG,         /* a bug in Kiln                                      → exit 70 */
};

enum { ERR_CAUSE_MAX = 2048, ERR_TRAIL_MAX = 1024, ERR_HINT_MAX = 1024 };

struct err {
	enum err_code code;
	int sys;                   /* errno of the cause, 0 when there is none */
	char cause[ERR_CAUSE_MAX]; /* may hold several lines (a source excerpt) */
	char trail[ERR_TRAIL_MAX]; /* "while …; while …", innermost first */
	char hint[ERR_HINT_MAX];   /* what to do; empty when the cause says it */
};

#define ERR_INIT ((struct err){ .code = ERR_NONE })

/* Sets the cause unless one is set already. Always returns -1, so: `return err_set(err, …);`. */
int err_set(struct err *err, enum err_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int err_setv(struct err *err, enum err_code code, int sys, const char *fmt, va_list ap)
	__attribute__((format(printf, 4, 0)));
/* The same with errno's text appended ("…: No such file or directory"). */
int err_sys(struct err *err, enum err_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Adds "while …" context to a set error. Returns -1. */
int err_while(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Says what to do about it; the first hint stays. Returns -1. */
int err_hint(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The analyser does not look into err.c; this tells it what these return. */
#if defined(__clang_analyzer__) && !defined(KILN_BASE_ERR_C)
#define err_set(...) (err_set(__VA_ARGS__), -1)
#define err_setv(...) (err_setv(__VA_ARGS__), -1)
#define err_sys(...) (err_sys(__VA_ARGS__), -1)
#define err_while(...) (err_while(__VA_ARGS__), -1)
#define err_hint(...) (err_hint(__VA_ARGS__), -1)
#endif

void err_clear(struct err *err);
int err_exit_status(const struct err *err);
/* Whether a disk error code means "full or quota": such causes get the same hint everywhere. */
int err_sys_is_full(int sys);

#endif
