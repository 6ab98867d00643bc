/* Bytes from the store as a directory: what is accepted is sorted, has names that are one path
 * part each, and is the canonical encoding of itself. */
#include "fuzz/fuzz.h"

#include "base/arena.h"
#include "base/path.h"
#include "model/tree.h"

/* Whatever the bytes are, they can be asked for a name; what was decoded is found. */
static void look_up(struct arena *arena, struct str bytes, const struct tree_dir *dir)
{
	struct tree_index index;
	struct tree_node node;
	struct err err = ERR_INIT;

	if (tree_index_read(arena, bytes, &index, &err) < 0) {
		bug_on(dir);
		return;
	}
	(void)tree_index_find(&index, arena, STR("a"), &node, &err);
	for (size_t i = 0; dir && i < dir->n; i++) {
		struct str name = str_of(dir->nodes[i].name);

		bug_on(tree_index_find(&index, arena, name, &node, &err) != 0);
		bug_on(node.kind != dir->nodes[i].kind || !str_eq(node.name, dir->nodes[i].name));
	}
}

static void round_trip(struct arena *arena, struct str bytes)
{
	struct tree_dir dir, again;
	struct err err = ERR_INIT;
	_cleanup_buf_ struct buf once = BUF_INIT(8 << 20), twice = BUF_INIT(8 << 20);

	if (tree_dir_decode(arena, bytes, &dir, &err) < 0) {
		bug_on(err.code == ERR_NONE || !err.cause[0]);
		look_up(arena, bytes, NULL);
		return;
	}
	for (size_t i = 0; i < dir.n; i++) {
		const char *name = dir.nodes[i].name;

		bug_on(!name[0] || strchr(name, '/') || !path_is_tree(name));
		bug_on(i > 0 && strcmp(dir.nodes[i - 1].name, name) >= 0);
		bug_on((dir.nodes[i].kind == NODE_LINK) != (dir.nodes[i].target != NULL));
	}
	look_up(arena, bytes, &dir);
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
