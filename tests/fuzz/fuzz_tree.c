/* Bytes from the store as a directory: what is accepted is sorted, has names that are one path
 * part each, and is the canonical encoding of itself. */
#include "fuzz/fuzz.h"

#include "base/arena.h"
#include "base/path.h"
#include "model/tree.h"

static void round_trip(struct arena *arena, struct str bytes)
{
	struct tree_dir dir, again;
	struct err err = ERR_INIT;
	_cleanup_buf_ struct buf once = BUF_INIT(8 << 20), twice = BUF_INIT(8 << 20);

	if (tree_dir_decode(arena, bytes, &dir, &err) < 0) {
		bug_on(err.code == ERR_NONE || !err.cause[0]);
		return;
	}
	for (size_t i = 0; i < dir.n; i++) {
		const char *name = dir.nodes[i].name;

		bug_on(!name[0] || strchr(name, '/') || !path_is_tree(name));
		bug_on(i > 0 && strcmp(dir.nodes[i - 1].name, name) >= 0);
		bug_on((dir.nodes[i].kind == NODE_LINK) != (dir.nodes[i].target != NULL));
	}
	tree_dir_encode(&dir, &once);
	bug_on(tree_dir_decode(arena, buf_str(&once), &again, &err) < 0);
	tree_dir_encode(&again, &twice);
	bug_on(!str_same(buf_str(&once), buf_str(&twice)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();

	round_trip(arena, (struct str){ (const char *)data, size });
	arena_free(arena);
	return 0;
}
