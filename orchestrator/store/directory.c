/* The one place where Directory messages meet blobs. */
#include "store/directory.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "store/blobs_ops.h"

enum { DIRECTORY_MOST = 256 << 20 };

int directory_load(struct blobs *blobs, struct arena *arena, const struct blob_ref *ref,
                   struct tree_dir *ret, struct err *err)
{
	_cleanup_buf_ struct buf buf = BUF_INIT(DIRECTORY_MOST);
	struct blob_ref empty;
	int rc;

	tree_empty_ref(&empty);
	if (digest_eq(&ref->digest, &empty.digest)) {
		*ret = (struct tree_dir){ 0 };
		return 0;
	}
	rc = blobs_read(blobs, ref, &buf, err);
	if (rc == BLOBS_MISS)
		return blobs_miss(ref, "the listing of a directory", err);
	if (rc < 0)
		return -1;
	if (tree_dir_decode(arena, buf_str(&buf), ret, err) < 0)
		return err_while(err, "reading directory %s", DIGEST_TEXT(&ref->digest));
	return 0;
}

/* ---- what was looked into -------------------------------------------------------------------- */

/* Listings by digest, which says all of their content; all are dropped when they are many. */
struct listings {
	struct arena *arena;
	struct map *dirs; /* digest → struct tree_dir */
	size_t nodes;
};

enum { KEPT_NODES_MOST = 1 << 20 };

void directory_forget(struct blobs *blobs)
{
	if (!blobs->listings)
		return;
	map_free(blobs->listings->dirs);
	arena_free(blobs->listings->arena);
	free(blobs->listings);
	blobs->listings = NULL;
}

static struct listings *listings_of(struct blobs *blobs)
{
	if (blobs->listings && blobs->listings->nodes > KEPT_NODES_MOST)
		directory_forget(blobs);
	if (!blobs->listings) {
		blobs->listings = alloc(sizeof(*blobs->listings));
		blobs->listings->arena = arena_new();
		blobs->listings->dirs = map_new();
	}
	return blobs->listings;
}

static int known_listing(struct blobs *blobs, const struct blob_ref *ref,
                         const struct tree_dir **ret, struct err *err)
{
	struct listings *l = listings_of(blobs);
	struct tree_dir *dir = map_get_n(l->dirs, &ref->digest, sizeof(ref->digest));

	if (!dir) {
		dir = arena_alloc(l->arena, sizeof(*dir));
		if (directory_load(blobs, l->arena, ref, dir, err) < 0)
			return -1;
		map_set_n(l->dirs, &ref->digest, sizeof(ref->digest), dir);
		l->nodes += dir->n;
	}
	*ret = dir;
	return 0;
}

static int cmp_name(struct str a, const char *b)
{
	int order = strncmp(a.p, b, a.n);

	return order ? order : b[a.n] ? -1 : 0;
}

int directory_find(struct blobs *blobs, struct arena *arena, const struct blob_ref *ref,
                   struct str name, struct tree_node *ret, struct err *err)
{
	const struct tree_dir *dir;
	size_t low = 0, high;

	if (known_listing(blobs, ref, &dir, err) < 0)
		return -1;
	for (high = dir->n; low < high;) {
		size_t middle = low + (high - low) / 2;
		const struct tree_node *node = &dir->nodes[middle];
		int order = cmp_name(name, node->name);

		if (order == 0) {
			*ret = *node;
			ret->name = arena_str(arena, node->name);
			ret->target = arena_str(arena, node->target);
			return 0;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return DIRECTORY_LACKS;
}

int directory_save(struct blobs *blobs, struct tree_dir *dir, struct blob_ref *ret, struct err *err)
{
	_cleanup_buf_ struct buf buf = BUF_INIT(DIRECTORY_MOST);

	tree_dir_encode(dir, &buf);
	if (buf.overflow)
		return err_set(err, ERR_INPUT, "a directory has too many entries (%zu)", dir->n);
	return blobs_put(blobs, buf_text(&buf), buf.n, ret, err);
}
