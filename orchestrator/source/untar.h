#ifndef KILN_SOURCE_UNTAR_H
#define KILN_SOURCE_UNTAR_H

#include "base/buf.h"
#include "base/err.h"

/*
 * Unpacks a source tarball below an open folder, as files for building: no owners, no times, modes
 * 0755 and 0644. Devices are ERR_INPUT; so are trees beyond any sense (16 GiB, two million nodes).
 */
int untar(int fd, const char *what, int root, struct err *err);
/* The content of the first plain file whose path ends in `path` after at most one folder. Returns
 * 0, or UNTAR_MISSING. */
enum { UNTAR_MISSING = 1 };
int untar_one(int fd, const char *what, const char *path, struct buf *buf, struct err *err);

#endif
