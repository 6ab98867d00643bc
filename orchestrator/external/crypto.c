/* SHA-256 through OpenSSL's EVP interface: the one hash Kiln names content by. */
#include "external/crypto.h"

#include <errno.h>
#include <openssl/evp.h>
#include <unistd.h>

#include "base/alloc.h"
#include "host/failpoint.h"

struct hasher {
	EVP_MD_CTX *ctx;
};

/* Looked up once: EVP_sha256() is looked up anew for each hash, which costs more than a small file. */
static const EVP_MD *sha256(void)
{
	static EVP_MD *md;

	if (!md)
		md = EVP_MD_fetch(NULL, "SHA256", NULL);
	bug_on(!md);
	return md;
}

static void start(struct hasher *hasher)
{
	bug_on(EVP_DigestInit_ex2(hasher->ctx, sha256(), NULL) != 1);
}

struct hasher *hasher_new(void)
{
	struct hasher *hasher = alloc(sizeof(*hasher));

	hasher->ctx = EVP_MD_CTX_new();
	bug_on(!hasher->ctx);
	start(hasher);
	return hasher;
}

struct hasher *hasher_free(struct hasher *hasher)
{
	if (hasher) {
		EVP_MD_CTX_free(hasher->ctx);
		free(hasher);
	}
	return NULL;
}

void hasher_add(struct hasher *hasher, const void *p, size_t n)
{
	bug_on(EVP_DigestUpdate(hasher->ctx, p, n) != 1);
}

void hasher_finish(struct hasher *hasher, struct digest *ret)
{
	unsigned int n = 0;

	bug_on(EVP_DigestFinal_ex(hasher->ctx, ret->bytes, &n) != 1 || n != sizeof(ret->bytes));
	start(hasher);
}

void digest_of(const void *p, size_t n, struct digest *ret)
{
	struct hasher *hasher = hasher_new();

	hasher_add(hasher, p, n);
	hasher_finish(hasher, ret);
	hasher_free(hasher);
}

int digest_of_fd(int fd, const char *what, struct blob_ref *ret, struct err *err)
{
	struct hasher *hasher = hasher_new();
	char chunk[65536];
	uint64_t size = 0;
	ssize_t n;

	while ((n = failpoint("hash-read") ? -1 : read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			err_sys(err, ERR_IO, "cannot read %s", what);
			hasher_free(hasher);
			return -1;
		}
		hasher_add(hasher, chunk, (size_t)n);
		size += (uint64_t)n;
	}
	hasher_finish(hasher, &ret->digest);
	ret->size = size;
	hasher_free(hasher);
	return 0;
}
