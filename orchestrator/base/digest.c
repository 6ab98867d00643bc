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

/* The value of a digit, 0x10 for what is none; by a table, as a run may read 100,000 digests and more. */
static unsigned int nibble(char c)
{
	static const uint8_t values[256] = {
		['0'] = 0x10, ['1'] = 0x11, ['2'] = 0x12, ['3'] = 0x13, ['4'] = 0x14, ['5'] = 0x15,
		['6'] = 0x16, ['7'] = 0x17, ['8'] = 0x18, ['9'] = 0x19, ['a'] = 0x1a, ['b'] = 0x1b,
		['c'] = 0x1c, ['d'] = 0x1d, ['e'] = 0x1e, ['f'] = 0x1f,
	};

	return values[(unsigned char)c] ^ 0x10;
}

bool digest_parse(const char *text, struct digest *ret)
{
	unsigned int wrong = 0;
	struct digest d;

	if (str_starts(text, "sha256:"))
		text += strlen("sha256:");
	if (strlen(text) != DIGEST_HEX_LEN)
		return false;
	for (size_t i = 0; i < sizeof(d.bytes); i++) {
		unsigned int hi = nibble(text[2 * i]), lo = nibble(text[2 * i + 1]);

		wrong |= hi | lo;
		d.bytes[i] = (uint8_t)(hi << 4 | lo);
	}
	if (wrong & 0x10)
		return false;
	*ret = d;
	return true;
}
