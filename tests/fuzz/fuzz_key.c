/* Keys as PEM, given by users and found in releases. A key that is read can be written and read. */
#include "fuzz/fuzz.h"

#include "base/alloc.h"
#include "external/keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	_cleanup_key_ struct key *public = NULL, *private = NULL, *again = NULL;
	_cleanup_buf_ struct buf pem = BUF_INIT(1 << 20);
	const char *text = (const char *)data;

	if (key_read_public(text, size, "input", &public, &err) < 0) {
		bug_on(err.code != ERR_INPUT || !err.cause[0]);
	} else {
		bug_on(key_is_private(public));
		key_write_public(public, &pem);
		bug_on(key_read_public(buf_text(&pem), pem.n, "again", &again, &err) < 0);
	}
	err_clear(&err);
	if (key_read_private(text, size, NULL, "input", &private, &err) < 0)
		bug_on(err.code != ERR_INPUT || !err.cause[0]);
	else
		bug_on(!key_is_private(private));
	return 0;
}
