/* Manifests of images: refused, or exactly what would be written for the tree they say. */
#include "fuzz/fuzz.h"

#include "base/alloc.h"
#include "base/path.h"
#include "image/tree.h"

static void check(struct image_tree *tree, struct str text)
{
	struct buf buf = BUF_INIT(16 << 20);
	struct image_tree again;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < tree->nodes.n; i++)
		bug_on(path_tree_fault(tree->nodes.v[i].path) || !tree->nodes.v[i].path[0]);
	image_tree_manifest(tree, &buf);
	/* Zeros before a number and a missing last newline are the only freedom. */
	bug_on(buf.n > text.n + 1);
	image_tree_init(&again);
	bug_on(image_tree_parse(&again, buf_str(&buf), "again", &err) < 0);
	bug_on(again.nodes.n != tree->nodes.n);
	image_tree_deinit(&again);
	buf_deinit(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };
	struct image_tree tree;
	struct err err = ERR_INIT;

	image_tree_init(&tree);
	if (image_tree_parse(&tree, text, "input", &err) == 0)
		check(&tree, text);
	else
		bug_on(err.code != ERR_INPUT || !err.cause[0]);
	image_tree_deinit(&tree);
	return 0;
}
