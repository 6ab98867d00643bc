/* Two trees side by side: both are sorted by name, so one pass over a pair of folders is enough. */
#include "store/update.h"

#include <fcntl.h>
#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "base/str.h"
#include "host/fs.h"
#include "store/directory.h"

struct update {
	struct blobs *blobs;
	int root;
	const struct checkout_options *options;
};

static bool same(const struct tree_node *a, const struct tree_node *b)
{
	if (a->kind != b->kind || a->executable != b->executable)
		return false;
	return a->kind == NODE_LINK ? str_eq(a->target, b->target) :
	                              digest_eq(&a->ref.digest, &b->ref.digest);
}

static int update_dir(const struct update *u, const char *path, const struct blob_ref *from,
                      const struct blob_ref *to, struct err *err);

/* One name that is in both, or in one of them: the other one's is NULL. */
static int update_node(const struct update *u, int dir, const char *path, const char *name,
                       const struct tree_node *from, const struct tree_node *to, struct err *err)
{
	_cleanup_free_ char *below = NULL;

	if (from && to && same(from, to))
		return 0;
	if (from && to && from->kind == NODE_DIR && to->kind == NODE_DIR) {
		below = path[0] ? path_join(path, name) : str_dup(name);
		return update_dir(u, below, &from->ref, &to->ref, err);
	}
	if (fs_remove_tree(dir, name, err) < 0)
		return -1;
	return to ? checkout_node(u->blobs, to, dir, name, u->options, err) : 0;
}

static int update_names(const struct update *u, int dir, const char *path,
                        const struct tree_dir *from, const struct tree_dir *to, struct err *err)
{
	struct tree_pair pair = { .a = from, .b = to };
	const struct tree_node *old, *new;
	const char *name;
	int rc = 0;

	while (rc == 0 && (name = tree_pair_next(&pair, &old, &new)))
		rc = update_node(u, dir, path, name, old, new, err);
	return rc;
}

static int update_dir(const struct update *u, const char *path, const struct blob_ref *from,
                      const struct blob_ref *to, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct tree_dir old = { 0 }, new = { 0 };
	struct err lost = ERR_INIT;
	_cleanup_fd_ int dir = -1;

	/* A build may have put a link, or nothing, where a folder of its inputs was. */
	if (fs_open_beneath(u->root, path[0] ? path : ".", O_RDONLY | O_DIRECTORY, 0, true, &dir,
	                    &lost) != 0)
		return UPDATE_LOST;
	if (directory_load(u->blobs, arena, from, &old, &lost) < 0)
		return UPDATE_LOST;
	if (directory_load(u->blobs, arena, to, &new, err) < 0)
		return -1;
	return update_names(u, dir, path, &old, &new, err);
}

int update_tree(struct blobs *blobs, const struct blob_ref *from, const struct blob_ref *to,
                int dirfd, const struct checkout_options *options, struct err *err)
{
	const struct update u = { blobs, dirfd, options };

	return digest_eq(&from->digest, &to->digest) ? 0 : update_dir(&u, "", from, to, err);
}
