/* Base64: each byte string has one text only. */
#include "fuzz/fuzz.h"

#include "external/base64.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	_cleanup_buf_ struct buf text = BUF_INIT(8 << 20), bytes = BUF_INIT(8 << 20),
				 again = BUF_INIT(8 << 20);

	buf_add(&text, data, size);
	if (base64_decode(buf_text(&text), "input", &bytes, &err) < 0)
		return 0;
	base64_encode(bytes.p, bytes.n, &again);
	bug_on(strcmp(buf_text(&again), buf_text(&text)) != 0);
	return 0;
}
