#ifndef KILN_SOURCE_DEB_H
#define KILN_SOURCE_DEB_H

#include <stdbool.h>

#include "base/array.h"
#include "base/digest.h"
#include "base/str.h"

/* One binary package file, named as Debian names it, known by its content. */
struct deb {
	char *name, *version, *architecture;
	struct blob_ref ref;
};

struct debs {
	ARRAY(struct deb) list;
};

void debs_deinit(struct debs *debs);
#define _cleanup_debs_ _cleanup_(debs_deinit)
void debs_add(struct debs *debs, const char *name, const char *version, const char *architecture,
              const struct blob_ref *ref);
/* By name, architecture, version. */
void debs_sort(struct debs *debs);
/* "NAME:ARCH=VERSION", or "NAME=VERSION" for architecture all: how apt-get is asked for it. */
char *deb_spec(const struct deb *deb);
/*
 * Reads a line of `apt-get --print-uris`, 'ADDRESS' NAME_VERSION_ARCH.deb SIZE SHA256:HEX, and adds
 * the file. False when it is none.
 */
bool debs_add_uri_line(struct debs *debs, struct str line);

#endif
