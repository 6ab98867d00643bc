/* Strict JSON: whatever is accepted has one canonical form, which is accepted and stays itself. */
#include "fuzz/fuzz.h"

#include "base/alloc.h"
#include "external/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	_cleanup_json_ json_t *first = NULL, *second = NULL;
	_cleanup_buf_ struct buf once = BUF_INIT(8 << 20), twice = BUF_INIT(8 << 20);

	if (json_parse((const char *)data, size, "input", &first, &err) < 0) {
		bug_on(err.code != ERR_INPUT || !err.cause[0]);
		return 0;
	}
	json_write_canonical(first, &once);
	bug_on(json_parse(buf_text(&once), once.n, "canonical", &second, &err) < 0);
	json_write_canonical(second, &twice);
	bug_on(!str_same(buf_str(&once), buf_str(&twice)));
	return 0;
}
