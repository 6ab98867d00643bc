/*
 * Errors by value: nothing to free, nothing to leak. The first cause wins, because what follows a
 * failure is usually its consequence.
 */
#define KILN_BASE_ERR_C
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int err_setv(struct err *err, enum err_code code, int sys, const char *fmt, va_list ap)
{
	int n;

	if (err->code != ERR_NONE)
		return -1;
	err->code = code;
	err->sys = sys;
	err->trail[0] = '\0';
	err->hint[0] = '\0';
	n = vsnprintf(err->cause, sizeof(err->cause), fmt, ap);
	if (sys && n >= 0 && (size_t)n < sizeof(err->cause))
		snprintf(err->cause + n, sizeof(err->cause) - (size_t)n, ": %s", strerror(sys));
	if (err_sys_is_full(sys))
		err_hint(err,
		         "free some space (or raise the quota) and run the same command again; "
		         "what is complete is kept");
	return -1;
}

int err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_setv(err, code, 0, fmt, ap);
	va_end(ap);
	return -1;
}

int err_sys(struct err *err, enum err_code code, const char *fmt, ...)
{
	int sys = errno;
	va_list ap;

	va_start(ap, fmt);
	err_setv(err, code, sys, fmt, ap);
	va_end(ap);
	return -1;
}

int err_while(struct err *err, const char *fmt, ...)
{
	size_t used = strlen(err->trail);
	va_list ap;

	if (used + 16 >= sizeof(err->trail))
		return -1;
	used += (size_t)snprintf(err->trail + used, sizeof(err->trail) - used, "%swhile ",
	                         used ? "; " : "");
	va_start(ap, fmt);
	vsnprintf(err->trail + used, sizeof(err->trail) - used, fmt, ap);
	va_end(ap);
	return -1;
}

int err_hint(struct err *err, const char *fmt, ...)
{
	va_list ap;

	if (err->hint[0])
		return -1;
	va_start(ap, fmt);
	vsnprintf(err->hint, sizeof(err->hint), fmt, ap);
	va_end(ap);
	return -1;
}

void err_clear(struct err *err)
{
	*err = ERR_INIT;
}

int err_exit_status(const struct err *err)
{
	switch (err->code) {
	case ERR_NONE:
		return 0;
	case ERR_STAGE:
		return 1;
	case ERR_USAGE:
		return 2;
	case ERR_INPUT:
		return 3;
	case ERR_DENIED:
		return 4;
	case ERR_MACHINE:
		return 5;
	case ERR_INTERRUPTED:
		return 6;
	case ERR_IO:
		return 7;
	case ERR_BUG:
		break;
	}
	return 70;
}

int err_sys_is_full(int sys)
{
	return sys == ENOSPC || sys == EDQUOT;
}
