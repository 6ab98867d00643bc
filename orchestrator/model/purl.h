#ifndef KILN_MODEL_PURL_H
#define KILN_MODEL_PURL_H

#include "base/buf.h"

/*
 * Package URLs (the purl specification, type "deb"): pkg:deb/debian/NAME@VERSION?arch=ARCH. Name
 * and version are percent-encoded but for letters, digits and ".-_~:", so a '+' becomes %2B.
 */
void purl_deb(struct buf *buf, const char *name, const char *version, const char *arch);
/* Of the type "cargo": pkg:cargo/NAME@VERSION, and where it comes from when that is not the registry
 * that the type means: a qualifier's name and value, or NULL. */
void purl_cargo(struct buf *buf, const char *name, const char *version, const char *qualifier,
                const char *value);
/* Of the type "generic": pkg:generic/NAME@VERSION, encoded in the same way. */
void purl_generic(struct buf *buf, const char *name, const char *version);

#endif
