#ifndef KILN_STORE_BLOB_FILE_H
#define KILN_STORE_BLOB_FILE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/digest.h"

/*
 * How a blob lies below STORE/blobs: by which name, and with the one time that says that nobody wrote to it
 * since it was hashed. Needs nothing but the C library.
 */
enum {
	BLOB_STAMP = 1, /* mtime, seconds since 1970 */
	BLOB_NAME_SIZE = DIGEST_HEX_SIZE + 1,
};

/* "ab/cdef…" */
const char *blob_file_name(const struct digest *digest, char out[BLOB_NAME_SIZE]);
/* A file of that size that nobody wrote to. */
bool blob_file_is_good(const struct stat *st, uint64_t size);

#endif
