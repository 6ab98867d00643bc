#ifndef KILN_SOURCE_DSC_H
#define KILN_SOURCE_DSC_H

#include <stdint.h>

#include "base/array.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/str.h"

/* A Debian source package's description: which files it is made of, by digest. */
struct dsc_file {
	char *name; /* one path part */
	struct blob_ref ref;
};

struct dsc {
	char *source, *version, *format;
	ARRAY(struct dsc_file) files; /* as listed */
};

void dsc_deinit(struct dsc *dsc);
#define _cleanup_dsc_ _cleanup_(dsc_deinit)

/* Reads the text of a .dsc (an OpenPGP frame is skipped). ERR_INPUT where it is malformed. */
int dsc_parse(struct str text, const char *what, struct dsc *ret, struct err *err);
/* The date of the topmost entry of a debian/changelog, in seconds since 1970. */
int changelog_date(struct str text, const char *what, int64_t *ret, struct err *err);
/* "Sun, 19 Feb 2023 15:30:53 +0200" in seconds since 1970; whatever the locale. */
bool rfc5322_date(struct str text, int64_t *ret);

#endif
