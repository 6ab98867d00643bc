/* TOML of other people's projects: refused with a line, or JSON that can be written and compared. */
#include "fuzz/fuzz.h"

#include "base/alloc.h"
#include "external/toml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_json_ json_t *first = NULL, *second = NULL;
	struct str text = { (const char *)data, size };
	struct err err = ERR_INIT;
	_cleanup_buf_ struct buf out = BUF_INIT(64 << 20);

	if (toml_read(text, "input", &first, &err) < 0) {
		bug_on(err.code != ERR_INPUT || !err.cause[0] || first);
		return 0;
	}
	bug_on(err.code || !json_is_object(first));
	json_write_canonical(first, &out);
	bug_on(out.n < 2);
	bug_on(toml_read(text, "input", &second, &err) < 0 || !json_equal(first, second));
	return 0;
}
