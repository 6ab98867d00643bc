#ifndef KILN_BASE_DIGEST_H
#define KILN_BASE_DIGEST_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* A SHA-256 digest. All zero means "none" (no content has that digest in practice). */
struct digest {
	uint8_t bytes[32];
};

enum { DIGEST_HEX_LEN = 64, DIGEST_HEX_SIZE = 65 };

/* Content with its size in bytes, as the Remote Execution API names blobs. */
struct blob_ref {
	struct digest digest;
	uint64_t size;
};

static inline bool digest_eq(const struct digest *a, const struct digest *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool digest_is_none(const struct digest *d);
/* 64 lower-case hex digits and a NUL into out[DIGEST_HEX_SIZE]; returns out. */
char *digest_hex(const struct digest *d, char out[DIGEST_HEX_SIZE]);
/* Reads exactly 64 hex digits, lower case, optionally after "sha256:". False when it is none. */
bool digest_parse(const char *text, struct digest *ret);

/* For printf: "%s" with DIGEST_TEXT(&d); valid until the end of the full expression's block. */
#define DIGEST_TEXT(d) digest_hex((d), (char[DIGEST_HEX_SIZE]){ 0 })

#endif
