/*
 * SHA-256, the one hash Kiln names content by: OpenSSL's functions for it alone. They are called deprecated
 * since EVP can do all that they do, for every hash; but what EVP has to be told and made before it does it
 * costs more than a small file: setting it up takes a millisecond and two megabytes, in each process.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "external/crypto.h"

#include <errno.h>
#include <openssl/sha.h>
#include <unistd.h>

#include "base/alloc.h"
#include "host/failpoint.h"

struct hasher {
	SHA256_CTX ctx;
};

static void start(struct hasher *hasher)
{
	bug_on(SHA256_Init(&hasher->ctx) != 1);
}

struct hasher *hasher_new(void)
{
	struct hasher *hasher = alloc(sizeof(*hasher));

	start(hasher);
	return hasher;
}

struct hasher *hasher_free(struct hasher *hasher)
{
	free(hasher);
	return NULL;
}

void hasher_add(struct hasher *hasher, const void *p, size_t n)
{
	bug_on(SHA256_Update(&hasher->ctx, p, n) != 1);
}

void hasher_finish(struct hasher *hasher, struct digest *ret)
{
	bug_on(SHA256_Final(ret->bytes, &hasher->ctx) != 1);
	start(hasher);
}

void digest_of(const void *p, size_t n, struct digest *ret)
{
	struct hasher hasher;

	start(&hasher);
	hasher_add(&hasher, p, n);
	hasher_finish(&hasher, ret);
}

int digest_of_fd(int fd, const char *what, struct blob_ref *ret, struct err *err)
{
	struct hasher hasher;
	char chunk[65536];
	uint64_t size = 0;
	ssize_t n;

	start(&hasher);
	while ((n = failpoint("hash-read") ? -1 : read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, ERR_IO, "cannot read %s", what);
		hasher_add(&hasher, chunk, (size_t)n);
		size += (uint64_t)n;
	}
	hasher_finish(&hasher, &ret->digest);
	ret->size = size;
	return 0;
}
