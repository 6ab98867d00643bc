#ifndef KILN_SOURCE_DEB822_H
#define KILN_SOURCE_DEB822_H

#include <stdbool.h>

#include "base/array.h"
#include "base/err.h"
#include "base/str.h"

/*
 * Debian's control format: stanzas of "Field: value" lines, a value goes on in lines that begin
 * with white space. One parser for Packages, Release, .dsc, dpkg's status and *.sources. Views
 * into the text; nothing is copied.
 */
struct deb822_field {
	struct str name;
	struct str
		value; /* first line trimmed; further lines as they are, with their first space */
};

struct deb822 {
	ARRAY(struct deb822_field) fields;
};

/* Outcome: no further stanza. */
enum { DEB822_END = 1 };

void deb822_deinit(struct deb822 *stanza);
#define _cleanup_deb822_ _cleanup_(deb822_deinit)

/*
 * Takes the next stanza off the front of *rest (comments and an OpenPGP frame are skipped); the
 * stanza is cleared first. Returns 0 or DEB822_END. A line that is neither field nor
 * continuation is ERR_INPUT; `what` names the document.
 */
int deb822_next(struct str *rest, struct deb822 *stanza, const char *what, struct err *err);
/* The value of a field by name in any case; an empty view with p NULL where it is missing. */
struct str deb822_get(const struct deb822 *stanza, const char *name);
/* The same as a copy; NULL where it is missing. Caller frees. */
char *deb822_get_dup(const struct deb822 *stanza, const char *name);
bool deb822_is(const struct deb822 *stanza, const char *name, const char *value);

/* Calls back for each stanza of a large file, holding one window of it in memory. */
typedef int (*deb822_visit_fn)(void *data, const struct deb822 *stanza, struct err *err);
int deb822_scan_fd(int fd, const char *what, deb822_visit_fn visit, void *data, struct err *err);

/* Cuts the next word (between blanks and line ends) off *rest; false at its end. */
bool deb822_word(struct str *rest, struct str *ret_word);

#endif
