/* The one place where Directory messages meet blobs. */
#include "store/directory.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "store/blobs_ops.h"

enum { DIRECTORY_MOST = 256 << 20 };

/* The bytes of a listing; of the empty one there are none. */
static int read_listing(struct blobs *blobs, const struct blob_ref *ref, struct buf *buf,
                        struct err *err)
{
	struct blob_ref empty;
	int rc;

	tree_empty_ref(&empty);
	if (digest_eq(&ref->digest, &empty.digest))
		return 0;
	rc = blobs_read(blobs, ref, buf, err);
	return rc == BLOBS_MISS ? blobs_miss(ref, "the listing of a directory", err) : rc;
}

static int is_wrong(const struct blob_ref *ref, struct err *err)
{
	return err_while(err, "reading directory %s", DIGEST_TEXT(&ref->digest));
}

int directory_load(struct blobs *blobs, struct arena *arena, const struct blob_ref *ref,
                   struct tree_dir *ret, struct err *err)
{
	_cleanup_buf_ struct buf buf = BUF_INIT(DIRECTORY_MOST);

	if (read_listing(blobs, ref, &buf, err) < 0)
		return -1;
	return tree_dir_decode(arena, buf_str(&buf), ret, err) < 0 ? is_wrong(ref, err) : 0;
}

/* ---- what was looked into -------------------------------------------------------------------- */

struct listing {
	struct buf bytes;
	struct tree_index index;
};

/* Listings by digest, which says all of their content; all are dropped when they are large. */
struct listings {
	struct arena *arena;
	struct map *dirs; /* digest → struct listing */
	size_t bytes;
};

enum { KEPT_MOST = 128 << 20 };

void directory_forget(struct blobs *blobs)
{
	struct listings *l = blobs->listings;

	if (!l)
		return;
	for (size_t i = 0; i < map_count(l->dirs); i++)
		buf_deinit(&((struct listing *)map_at(l->dirs, i)->value)->bytes);
	map_free(l->dirs);
	arena_free(l->arena);
	free(l);
	blobs->listings = NULL;
}

static struct listings *listings_of(struct blobs *blobs)
{
	if (blobs->listings && blobs->listings->bytes > KEPT_MOST)
		directory_forget(blobs);
	if (!blobs->listings) {
		blobs->listings = alloc(sizeof(*blobs->listings));
		blobs->listings->arena = arena_new();
		blobs->listings->dirs = map_new();
	}
	return blobs->listings;
}

static int read_known(struct blobs *blobs, struct listings *l, const struct blob_ref *ref,
                      struct listing *ret, struct err *err)
{
	ret->bytes = BUF_INIT(DIRECTORY_MOST);
	if (read_listing(blobs, ref, &ret->bytes, err) < 0)
		return -1;
	if (tree_index_read(l->arena, buf_str(&ret->bytes), &ret->index, err) < 0)
		return is_wrong(ref, err);
	return 0;
}

static int known_listing(struct blobs *blobs, const struct blob_ref *ref,
                         const struct listing **ret, struct err *err)
{
	struct listings *l = listings_of(blobs);
	struct listing *known = map_get_n(l->dirs, &ref->digest, sizeof(ref->digest));

	if (!known) {
		known = arena_alloc(l->arena, sizeof(*known));
		if (read_known(blobs, l, ref, known, err) < 0) {
			buf_deinit(&known->bytes);
			return -1;
		}
		map_set_n(l->dirs, &ref->digest, sizeof(ref->digest), known);
		l->bytes += known->bytes.n;
	}
	*ret = known;
	return 0;
}

int directory_find(struct blobs *blobs, struct arena *arena, const struct blob_ref *ref,
                   struct str name, struct tree_node *ret, struct err *err)
{
	const struct listing *listing;
	int rc;

	if (known_listing(blobs, ref, &listing, err) < 0)
		return -1;
	rc = tree_index_find(&listing->index, arena, name, ret, err);
	if (rc < 0)
		return is_wrong(ref, err);
	return rc == TREE_LACKS ? DIRECTORY_LACKS : 0;
}

int directory_save(struct blobs *blobs, struct tree_dir *dir, struct blob_ref *ret, struct err *err)
{
	_cleanup_buf_ struct buf buf = BUF_INIT(DIRECTORY_MOST);

	tree_dir_encode(dir, &buf);
	if (buf.overflow)
		return err_set(err, ERR_INPUT, "a directory has too many entries (%zu)", dir->n);
	return blobs_put(blobs, buf_text(&buf), buf.n, ret, err);
}
