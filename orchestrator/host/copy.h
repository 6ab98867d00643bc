#ifndef KILN_HOST_COPY_H
#define KILN_HOST_COPY_H

#include "base/err.h"

/*
 * Copies all that is in an open folder into another one, which is empty, and makes that look like it: files,
 * folders and links with owners, modes and times. No link is followed; what is none of them is left out, and
 * so are setuid, setgid, further names of a file, and extended attributes.
 */
int copy_tree(int from, int to, struct err *err);

#endif
