#ifndef KILN_EXTERNAL_ARCHIVE_READ_H
#define KILN_EXTERNAL_ARCHIVE_READ_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"

/*
 * Archives read as a stream, entry by entry (libarchive): tar in all its dialects, plain or
 * compressed, and the tar members of a .deb. Nothing is written to disk here, and no path of an
 * archive is trusted: every one comes out as a tree path or the archive is refused.
 */
struct unarchive;

/* Outcome: there are no more entries. */
enum { UNARCHIVE_END = 1 };

enum unarchive_kind {
	UNARCHIVE_FILE,
	UNARCHIVE_DIR,
	UNARCHIVE_LINK,      /* symbolic; target is its text as it is */
	UNARCHIVE_HARD_LINK, /* target is the tree path of an earlier entry */
	UNARCHIVE_OTHER,     /* device, fifo, socket */
};

struct unarchive_entry {
	const char *path; /* a tree path without "./" and trailing '/'; "" is the root */
	enum unarchive_kind kind;
	uint32_t mode; /* the twelve permission bits */
	int64_t uid, gid;
	uint64_t size; /* of files, else 0 */
	const char *target;
};

/*
 * Reads from fd's position (a pipe will do). The descriptor stays the caller's and must outlive
 * the reader. `what` names the archive in errors. A malformed archive is ERR_INPUT.
 */
int unarchive_open(int fd, const char *what, struct unarchive **ret, struct err *err);
/*
 * A tar member of a .deb, by the start of its name: "control.tar" or "data.tar". A file that is no
 * .deb, or has no such member, is ERR_INPUT.
 */
int unarchive_open_deb(int fd, const char *what, const char *member, struct unarchive **ret,
                       struct err *err);
struct unarchive *unarchive_free(struct unarchive *archive);

/* The next entry; its strings live until the next call. Returns 0 or UNARCHIVE_END. */
int unarchive_next(struct unarchive *archive, struct unarchive_entry *ret, struct err *err);
/* Content of the current file; *ret_n is 0 at its end. */
int unarchive_read(struct unarchive *archive, void *p, size_t n, size_t *ret_n, struct err *err);
/*
 * Writes the current file's content to a descriptor, whose file `path` names in errors. More than
 * `most` bytes is ERR_INPUT, and no more is written. `keep` (may be NULL) gets the bytes too.
 */
int unarchive_copy(struct unarchive *archive, int fd, const char *path, uint64_t most,
                   struct buf *keep, struct blob_ref *ret, struct err *err);

#endif
