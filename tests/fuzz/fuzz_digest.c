/* Digests as text: what is accepted is written back the same. */
#include "fuzz/fuzz.h"

#include <string.h>

#include "base/alloc.h"
#include "base/digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = alloc(size + 1);
	struct digest digest;
	char hex[DIGEST_HEX_SIZE];
	const char *plain = text;

	memcpy(text, data, size);
	if (!digest_parse(text, &digest))
		return 0;
	if (strncmp(plain, "sha256:", 7) == 0)
		plain += 7;
	bug_on(strcmp(digest_hex(&digest, hex), plain) != 0);
	return 0;
}
