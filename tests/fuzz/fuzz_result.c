/* Bytes from the store as result messages: refused, or encoded and decoded again to the same. */
#include "fuzz/fuzz.h"

#include "base/arena.h"
#include "model/action.h"

static void round_trip(struct arena *arena, struct str bytes)
{
	struct result result, again;
	struct err err = ERR_INIT;
	_cleanup_buf_ struct buf once = BUF_INIT(8 << 20), twice = BUF_INIT(8 << 20);

	if (result_decode(arena, bytes, &result, &err) < 0) {
		bug_on(err.code == ERR_NONE || !err.cause[0]);
		return;
	}
	result_encode(&result, &once);
	bug_on(result_decode(arena, buf_str(&once), &again, &err) < 0);
	result_encode(&again, &twice);
	bug_on(!str_same(buf_str(&once), buf_str(&twice)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();

	round_trip(arena, (struct str){ (const char *)data, size });
	arena_free(arena);
	return 0;
}
