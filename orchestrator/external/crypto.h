#ifndef KILN_EXTERNAL_CRYPTO_H
#define KILN_EXTERNAL_CRYPTO_H

#include <stddef.h>

#include "base/digest.h"
#include "base/err.h"

/* SHA-256 by OpenSSL. */
struct hasher;

struct hasher *hasher_new(void);
struct hasher *hasher_free(struct hasher *hasher);
void hasher_add(struct hasher *hasher, const void *p, size_t n);
/* Finishes and starts anew. */
void hasher_finish(struct hasher *hasher, struct digest *ret);

void digest_of(const void *p, size_t n, struct digest *ret);
/* Hashes from the descriptor's position to its end. */
int digest_of_fd(int fd, const char *what, struct blob_ref *ret, struct err *err);

#endif
