/* SHA256SUMS of a stranger's release: what is accepted is written back byte for byte. */
#include "fuzz/fuzz.h"

#include "evidence/sums.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	struct sums sums = { 0 };
	_cleanup_buf_ struct buf again = BUF_INIT(8 << 20);

	if (sums_read((const char *)data, size, &sums, &err) < 0) {
		bug_on(err.code == ERR_NONE || !err.cause[0]);
		return 0;
	}
	sums_write(&sums, &again);
	bug_on(!str_same(buf_str(&again), (struct str){ (const char *)data, size }));
	sums_deinit(&sums);
	return 0;
}
