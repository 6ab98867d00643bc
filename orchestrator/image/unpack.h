#ifndef KILN_IMAGE_UNPACK_H
#define KILN_IMAGE_UNPACK_H

#include "base/buf.h"
#include "base/log.h"
#include "image/tree.h"
#include "source/unpack.h"

/*
 * From the bootstrap tool's tar stream to an unpacked image and its tree, in one pass: what is
 * hashed is what is written. Everything on disk belongs to the unpacker's owner, with modes 0755
 * and 0644 alone, so that root and anybody else see the same; the manifest keeps the true ones.
 */
struct image_unpack {
	struct unpacker *unpacker;
	struct image_tree *tree;
	struct buf *status; /* takes the content of var/lib/dpkg/status */
	struct work *work;  /* is told of each entry; or NULL */
};

/* Reads the stream to its end. Devices are dropped; `what` names the stream in errors. */
int image_unpack_tar(struct image_unpack *unpack, int fd, const char *what, struct err *err);
/* Adds one file of a package, owned by root. A path that is in the image is ERR_INPUT. */
int image_unpack_deb_file(struct image_unpack *unpack, int deb_fd, const char *what,
                          const char *path, const char *to, struct err *err);
/* Adds what every image has. */
int image_unpack_fixed(struct image_unpack *unpack, struct err *err);

#endif
