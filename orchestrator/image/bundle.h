#ifndef KILN_IMAGE_BUNDLE_H
#define KILN_IMAGE_BUNDLE_H

#include "image/image.h"

/*
 * An image as one file, for machines without network or without the packages' versions. A tar:
 *   kiln-image.json       schema "kiln.image.export/1": name, architecture, container, lock section
 *   manifest              the text whose digest is the image's name
 *   packages/<sha256>.deb every package the lock section names
 *   root/…                the tree itself, where it was asked for: then importing needs no bootstrap
 */
int image_export(struct store *store, const struct digest *tree, bool with_tree, const char *path,
                 struct err *err);
/*
 * Checks everything against the digests it claims, takes packages into the store, and gives the
 * image: unpacked from the file, or built from its packages. ERR_INPUT for a file that is malformed
 * or not what it says.
 */
int image_import(struct store *store, const char *path, struct log *log, struct image *ret,
                 struct err *err);

#endif
