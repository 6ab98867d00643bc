/*
 * Three walks: what both may have goes into a set, what is trained on into a map by digest, and what
 * is held out is looked up in them. Folders are walked whole, so that a copy is found wherever it
 * lies; of empty files there is nothing to learn.
 */
#include "profile/heldout.h"

#include "base/alloc.h"
#include "base/path.h"
#include "store/place.h"

struct trained {
	const struct recipe_data *data;
	const char *path;
};

struct walk {
	struct blobs *blobs;
	struct arena *arena;
	struct map *shared;  /* digest → "" */
	struct map *trained; /* digest → struct trained */
	const struct recipe_data *data;
};

/* What is shown for a file: the run's own word for it, and what lies below. */
static const char *shown(struct walk *w, const char *below)
{
	return below[0] ? arena_fmt(w->arena, "%s/%s", w->data->path, below) : w->data->path;
}

static int on_file(void *data, const char *path, const struct tree_node *node, struct err *err)
{
	struct walk *w = data;
	const uint8_t *key = node->ref.digest.bytes;
	const size_t n = sizeof(node->ref.digest.bytes);
	const struct trained *other;
	struct trained *own;

	if (node->kind != NODE_FILE || node->ref.size == 0)
		return 0;
	if (w->data->shared) {
		map_set_n(w->shared, key, n, (void *)"");
		return 0;
	}
	if (map_get_n(w->shared, key, n))
		return 0;
	other = map_get_n(w->trained, key, n);
	if (!w->data->held && !other) {
		own = arena_alloc(w->arena, sizeof(*own));
		*own = (struct trained){ w->data, arena_str(w->arena, shown(w, path)) };
		map_set_n(w->trained, key, n, own);
	}
	if (!w->data->held || !other)
		return 0;
	err_set(err, ERR_INPUT, "%s: \"%s\" is both in train (%s: \"%s\") and in holdout",
	        w->data->where, shown(w, path), other->data->where, other->path);
	return err_hint(err, "hold out data that was not trained on; what is no data is inputs = "
	                     "{ file { \"PATH\", shared = true } }");
}

static int walk_data(struct walk *w, const struct fact_leaf *leaf, struct err *err)
{
	const char *path = w->data->from.path;
	struct tree_node node = leaf->node;

	if (path[0] && node.kind != NODE_DIR)
		return 0;
	/* What the source lacks is told by who takes it, with the nearest name. */
	if (path[0]) {
		int rc = place_find(w->blobs, w->arena, &leaf->node.ref, path, &node, err);

		if (rc != 0)
			return rc == PLACE_MISSING ? 0 : -1;
	}
	return node.kind == NODE_DIR ? tree_walk(w->blobs, &node.ref, on_file, w, err) :
	                               on_file(w, "", &node, err);
}

enum round { SHARED, TRAINED, HELD };

static enum round round_of(const struct recipe_data *data)
{
	return data->shared ? SHARED : data->held ? HELD : TRAINED;
}

int heldout_check(struct blobs *blobs, const struct recipe *recipe, const struct facts *facts,
                  struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct walk w = {
		.blobs = blobs, .arena = arena, .shared = map_new(), .trained = map_new()
	};
	int rc = 0;

	for (enum round round = SHARED; round <= HELD; round++)
		for (size_t i = 0; rc == 0 && i < recipe->n_data; i++) {
			const struct fact_leaf *leaf =
				map_get(facts->leaves, recipe->data[i].from.id);

			w.data = &recipe->data[i];
			if (round_of(w.data) == round && leaf)
				rc = walk_data(&w, leaf, err);
		}
	map_free(w.shared);
	map_free(w.trained);
	return rc;
}
