#ifndef KILN_EXTERNAL_BASE64_H
#define KILN_EXTERNAL_BASE64_H

#include "base/buf.h"
#include "base/err.h"

/* Standard base64 with padding, as Sigstore bundles and SPKI hints use it. */
void base64_encode(const void *p, size_t n, struct buf *buf);
/*
 * Decodes strictly: no white space, exact padding, no stray bits, so that each byte string has one
 * text only. Anything else is ERR_INPUT naming `what`.
 */
int base64_decode(const char *text, const char *what, struct buf *buf, struct err *err);

#endif
