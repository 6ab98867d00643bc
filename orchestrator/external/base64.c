/*
 * Base64 through OpenSSL. Its decoder is lenient (it skips white space and ignores stray bits), so
 * what it decoded is encoded again and must give the same text.
 */
#include "external/base64.h"

#include <limits.h>
#include <openssl/evp.h>
#include <stdint.h>

#include "base/alloc.h"

/* A multiple of three, so that chunks join without padding between them. */
enum { CHUNK = 3 * 1024 };

void base64_encode(const void *p, size_t n, struct buf *buf)
{
	const uint8_t *at = p;
	unsigned char text[CHUNK / 3 * 4 + 1];

	while (n > 0) {
		size_t take = n < CHUNK ? n : CHUNK;
		int len = EVP_EncodeBlock(text, at, (int)take);

		buf_add(buf, text, (size_t)len);
		at += take;
		n -= take;
	}
}

static size_t padding(const char *text, size_t n)
{
	if (n < 2 || text[n - 1] != '=')
		return 0;
	return text[n - 2] == '=' ? 2 : 1;
}

int base64_decode(const char *text, const char *what, struct buf *buf, struct err *err)
{
	size_t n = strlen(text);
	_cleanup_free_ unsigned char *out = NULL;
	_cleanup_buf_ struct buf again = BUF_INIT(n + 4);
	int got;

	if (n % 4 != 0 || n > INT_MAX)
		return err_set(err, ERR_INPUT, "%s is not base64", what);
	if (n == 0)
		return 0;
	out = alloc(n);
	got = EVP_DecodeBlock(out, (const unsigned char *)text, (int)n);
	if (got < 0 || (size_t)got < padding(text, n))
		return err_set(err, ERR_INPUT, "%s is not base64", what);
	got -= (int)padding(text, n);
	base64_encode(out, (size_t)got, &again);
	if (!str_eq(buf_text(&again), text))
		return err_set(err, ERR_INPUT, "%s is not canonical base64", what);
	buf_add(buf, out, (size_t)got);
	return 0;
}
