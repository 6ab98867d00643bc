#ifndef KILN_RELEASE_BUNDLE_H
#define KILN_RELEASE_BUNDLE_H

#include "base/buf.h"
#include "base/err.h"
#include "external/keys.h"

/*
 * Sigstore bundles v0.3 with a plain public key: the message form for bytes, the DSSE form for
 * in-toto statements, in exactly the shape that cosign and sigstore's libraries accept.
 */
#define BUNDLE_MEDIA "application/vnd.dev.sigstore.bundle.v0.3+json"

enum { BUNDLE_MOST = 64 << 20 };

int bundle_sign_message(const struct key *key, const void *p, size_t n, struct buf *ret,
                        struct err *err);
int bundle_sign_statement(const struct key *key, const void *statement, size_t n, struct buf *ret,
                          struct err *err);

/*
 * Verifying: the shape is read strictly (unknown members are refused), the hint must be this key's,
 * and nothing of a payload is handed out before its signature held. Every refusal is ERR_DENIED.
 */
int bundle_verify_message(const struct key *key, const char *bundle, size_t bundle_n, const void *p,
                          size_t n, const char *what, struct err *err);
/* The statement's bytes are added to *ret_statement. */
int bundle_verify_statement(const struct key *key, const char *bundle, size_t bundle_n,
                            const char *what, struct buf *ret_statement, struct err *err);

#endif
