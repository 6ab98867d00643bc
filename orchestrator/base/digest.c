/* Digests as values and as text. Hashing itself is in external/crypto. */
#include "base/digest.h"

#include "base/str.h"

bool digest_is_none(const struct digest *d)
{
	static const struct digest none;

	return digest_eq(d, &none);
}

char *digest_hex(const struct digest *d, char out[DIGEST_HEX_SIZE])
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < sizeof(d->bytes); i++) {
		out[2 * i] = hex[d->bytes[i] >> 4];
		out[2 * i + 1] = hex[d->bytes[i] & 15];
	}
	out[DIGEST_HEX_LEN] = '\0';
	return out;
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

bool digest_parse(const char *text, struct digest *ret)
{
	struct digest d;

	if (str_starts(text, "sha256:"))
		text += strlen("sha256:");
	if (strlen(text) != DIGEST_HEX_LEN)
		return false;
	for (size_t i = 0; i < sizeof(d.bytes); i++) {
		int hi = nibble(text[2 * i]), lo = nibble(text[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return false;
		d.bytes[i] = (uint8_t)(hi << 4 | lo);
	}
	*ret = d;
	return true;
}
