#ifndef KILN_EXTERNAL_ARCHIVE_H
#define KILN_EXTERNAL_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * Writes archives by libarchive, uncompressed, so that the same members give the same bytes
 * whatever the user, the umask, the time zone and the locale are: owner 0/0 without names, times
 * given by the caller, no padding to a block size. Members come out in the order they are added.
 */
struct archive_writer;

enum archive_format {
	ARCHIVE_USTAR,     /* members for which archive_ustar_fits() holds */
	ARCHIVE_PAX,       /* ustar, with pax headers for members that do not fit; ASCII names */
	ARCHIVE_PAX_BYTES, /* the same for names of any bytes; readers may warn of a header */
	ARCHIVE_GNU,    /* ustar, with GNU's entries for long names: all that dpkg reads (deb(5)) */
	ARCHIVE_AR_BSD, /* the outer archive of a .deb: files with names of at most 16 bytes */
};

enum archive_kind { ARCHIVE_FILE, ARCHIVE_DIR, ARCHIVE_LINK };

struct archive_member {
	const char *name; /* without a leading or trailing '/' */
	enum archive_kind kind;
	unsigned int mode; /* permission bits */
	int64_t mtime;     /* seconds since the epoch */
	uint64_t size;     /* files */
	const char *link;  /* symlinks: the text */
};

/* Loads libarchive, which else the first writer does: for who will be where there are no libraries.
 * ERR_MACHINE where it is missing. */
int archive_ready(struct err *err);

/* Whether plain ustar can hold the member's names and size. */
bool archive_ustar_fits(const struct archive_member *member);
/* The plainest tar format that can hold all of them: ustar, or one of the two pax formats. */
enum archive_format archive_tar_format(const struct archive_member *members, size_t n);

/* Writes to `fd`, which stays the caller's; `what` names it in errors and must outlive it. */
struct archive_writer *archive_writer_new(int fd, enum archive_format format, const char *what);
/* Without archive_writer_finish the archive is incomplete; that is how a failure ends. */
struct archive_writer *archive_writer_free(struct archive_writer *writer);

/* Starts a member. For a file its bytes follow, as many as the member's size says. */
int archive_writer_add(struct archive_writer *writer, const struct archive_member *member,
                       struct err *err);
int archive_writer_data(struct archive_writer *writer, const void *p, size_t n, struct err *err);
/* Copies all that is left in `fd`; `name` says in errors what it is. Another size is an error. */
int archive_writer_copy(struct archive_writer *writer, int fd, const char *name, struct err *err);
/* A file with its bytes in one call. */
int archive_writer_file(struct archive_writer *writer, const char *name, unsigned int mode,
                        int64_t mtime, const void *p, size_t n, struct err *err);
int archive_writer_finish(struct archive_writer *writer, struct err *err);

#endif
