#ifndef KILN_TESTS_FAKES_DEBS_H
#define KILN_TESTS_FAKES_DEBS_H

#include "store/blobs.h"

/* One file of a tar made by a test. */
struct tar_entry {
	const char *path;
	char kind; /* 'f', 'd', 'l' */
	unsigned int mode;
	const char *text; /* of a file; the target of a link */
};

/* An uncompressed tar of the entries in a nameless file, at its beginning. */
int tar_file(const struct tar_entry *entries, size_t n);
/* A .deb with this control text and these files; stored when `blobs` is not NULL. At its beginning. */
int deb_file(struct blobs *blobs, const char *control, const struct tar_entry *entries, size_t n,
             struct blob_ref *ret);

#endif
