#ifndef KILN_EXTERNAL_LATE_H
#define KILN_EXTERNAL_LATE_H

#include <stddef.h>

#include "base/err.h"

/*
 * Libraries that few commands need, loaded when they are needed and not before. Each brings others, and
 * every one of those costs at every start of Kiln and at every fork of it.
 */
struct late_library {
	const char *file;    /* the name of its interface, as in "libcurl.so.4" */
	const char *does;    /* "libcurl, which fetches files" */
	const char *package; /* Debian's, for who lacks it */
};

/* A call: its name, and where in a table the pointer to it goes. */
struct late_call {
	const char *name;
	size_t at;
};

/* Fills a table. Loaded once, for good; a second call costs some look-ups. Where it is missing, or lacks a
 * call: ERR_MACHINE. */
int late_load(const struct late_library *library, const struct late_call *calls, size_t n,
              void *table, struct err *err);

#endif
