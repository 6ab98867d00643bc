/* Bytes from the store as action messages: refused, or encoded and decoded again to the same. */
#include "fuzz/fuzz.h"

#include "base/arena.h"
#include "model/action.h"

static void round_trip(struct arena *arena, struct str bytes)
{
	struct action action, again;
	struct err err = ERR_INIT;
	_cleanup_buf_ struct buf once = BUF_INIT(8 << 20), twice = BUF_INIT(8 << 20);

	if (action_decode(arena, bytes, &action, &err) < 0) {
		bug_on(err.code == ERR_NONE || !err.cause[0]);
		return;
	}
	action_encode(&action, &once);
	bug_on(action_decode(arena, buf_str(&once), &again, &err) < 0);
	action_encode(&again, &twice);
	bug_on(!str_same(buf_str(&once), buf_str(&twice)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();

	round_trip(arena, (struct str){ (const char *)data, size });
	arena_free(arena);
	return 0;
}
