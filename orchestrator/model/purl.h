#ifndef KILN_MODEL_PURL_H
#define KILN_MODEL_PURL_H

#include "base/buf.h"

/*
 * Package URLs (the purl specification, type "deb"): pkg:deb/debian/NAME@VERSION?arch=ARCH. Name
 * and version are percent-encoded but for letters, digits and ".-_~:": a '+' in a version is %2B, an epoch's ':'
 * stands for itself.
 */
void purl_deb(struct buf *buf, const char *name, const char *version, const char *arch);

#endif
