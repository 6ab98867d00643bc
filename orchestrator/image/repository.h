#ifndef KILN_IMAGE_REPOSITORY_H
#define KILN_IMAGE_REPOSITORY_H

#include "source/deb.h"
#include "store/blobs.h"

/*
 * A Debian archive on disk, made of .debs that the store holds: what an image is built from, always,
 * so that a build with the network and one without are the same. DIR/dists/SUITE/Release,
 * DIR/dists/SUITE/main/binary-ARCH/Packages, the files in DIR/pool; world-readable, because the
 * unprivileged bootstrap reads it as another user.
 */
int repository_write(struct blobs *blobs, const char *dir, const char *suite,
                     const char *const *architectures, const struct debs *debs, struct err *err);

#endif
