/* MD5 by OpenSSL; a machine in FIPS mode refuses it, which is an error and no bug. */
#include "external/md5.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <unistd.h>

static int add_all(EVP_MD_CTX *ctx, int fd, const char *what, struct err *err)
{
	char chunk[65536];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, ERR_IO, "cannot read %s", what);
		if (EVP_DigestUpdate(ctx, chunk, (size_t)n) != 1)
			return err_set(err, ERR_MACHINE, "cannot hash %s by MD5", what);
	}
	return 0;
}

int md5_of_fd(int fd, const char *what, char ret[MD5_HEX_SIZE], struct err *err)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned int n = 0;
	int rc = 0;

	if (!ctx || EVP_DigestInit_ex(ctx, EVP_md5(), NULL) != 1)
		rc = err_set(err, ERR_MACHINE,
		             "this machine's OpenSSL offers no MD5, which the "
		             "md5sums of a Debian package need");
	if (rc == 0)
		rc = add_all(ctx, fd, what, err);
	if (rc == 0 && EVP_DigestFinal_ex(ctx, sum, &n) != 1)
		rc = err_set(err, ERR_MACHINE, "cannot hash %s by MD5", what);
	EVP_MD_CTX_free(ctx);
	for (unsigned int i = 0; rc == 0 && i < 16; i++)
		snprintf(ret + (size_t)i * 2, 3, "%02x", sum[i]);
	return rc;
}
