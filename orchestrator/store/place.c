/*
 * Composing trees out of placed nodes, and looking into trees. Only directories on the way to a
 * placement are opened and written anew; everything else is referred to by its digest.
 */
#include "store/place.h"

#include <string.h>

#include "base/alloc.h"
#include "base/array.h"
#include "base/path.h"
#include "base/str.h"
#include "store/directory.h"

/* A name in the tree being composed. */
struct spot {
	struct tree_node node; /* name, and the content where the spot is not open */
	const char *at;        /* the placement that brought it */
	bool open;             /* a directory whose entries are in kids */
	ARRAY(struct spot *) kids;
};

struct composer {
	struct blobs *blobs;
	struct arena *arena;
	struct spot *root;
};

static struct spot *spot_add(struct composer *c, struct spot *parent, const char *at,
                             const struct tree_node *node)
{
	struct spot *spot = arena_alloc(c->arena, sizeof(*spot));

	spot->node = *node;
	spot->at = at;
	array_push(&parent->kids, spot);
	return spot;
}

static struct spot *spot_find(const struct spot *parent, struct str name)
{
	for (size_t i = 0; i < parent->kids.n; i++)
		if (str_same(str_of(parent->kids.v[i]->node.name), name))
			return parent->kids.v[i];
	return NULL;
}

static void spot_deinit(struct spot *spot)
{
	for (size_t i = 0; i < spot->kids.n; i++)
		spot_deinit(spot->kids.v[i]);
	array_deinit(&spot->kids);
}

/* Makes the entries of a placed directory into spots. */
static int spot_open(struct composer *c, struct spot *spot, struct err *err)
{
	struct tree_dir dir = { 0 };

	if (spot->open)
		return 0;
	if (directory_load(c->blobs, c->arena, &spot->node.ref, &dir, err) < 0)
		return err_while(err, "placing below %s", spot->at);
	for (size_t i = 0; i < dir.n; i++)
		spot_add(c, spot, spot->at, &dir.nodes[i]);
	spot->open = true;
	return 0;
}

static int overlap(const char *at, const struct spot *found, struct err *err)
{
	if (str_eq(at, found->at))
		return err_set(err, ERR_INPUT, "two inputs are placed at \"%s\"", at);
	err_set(err, ERR_INPUT,
	        "the inputs placed at \"%s\" and at \"%s\" overlap: %s has %s%s%s "
	        "already",
	        found->at, at, found->at[0] ? found->at : "the root",
	        found->node.kind == NODE_DIR ? "a directory \"" : "\"", found->node.name, "\"");
	return err_hint(err, "place one of them at another path");
}

/* Goes down to the directory that is to hold the last part of `at`, making what lacks. */
static int descend(struct composer *c, const char *at, struct spot **ret_parent,
                   struct str *ret_name, struct err *err)
{
	struct str rest = str_of(at), part, next;
	struct spot *here = c->root;

	str_cut(&rest, '/', &part);
	while (str_cut(&rest, '/', &next)) {
		struct spot *kid;

		if (spot_open(c, here, err) < 0)
			return -1;
		kid = spot_find(here, part);
		if (!kid) {
			struct tree_node node = { .kind = NODE_DIR };

			node.name = arena_str_n(c->arena, part.p, part.n);
			kid = spot_add(c, here, at, &node);
			kid->open = true;
		} else if (kid->node.kind != NODE_DIR) {
			return overlap(at, kid, err);
		}
		here = kid;
		part = next;
	}
	*ret_parent = here;
	*ret_name = part;
	return spot_open(c, here, err);
}

static int place_one(struct composer *c, const struct placement *placement, struct err *err)
{
	const char *fault = path_tree_fault(placement->at);
	struct tree_node node = placement->node;
	struct spot *parent = NULL, *found;
	struct str name = { 0 };

	if (fault)
		return err_set(err, ERR_INPUT, "an input cannot be placed at \"%s\": it %s",
		               placement->at, fault);
	if (placement->at[0] == '\0') {
		if (node.kind != NODE_DIR)
			return err_set(err, ERR_INPUT,
			               "an input placed at the root (\"\") must be "
			               "a folder");
		if (c->root->at)
			return err_set(err, ERR_INPUT, "two inputs are placed at the root (\"\")");
		c->root->node = node;
		c->root->at = placement->at;
		c->root->open = false;
		return 0;
	}
	if (descend(c, placement->at, &parent, &name, err) < 0)
		return -1;
	found = spot_find(parent, name);
	if (found)
		return overlap(placement->at, found, err);
	node.name = arena_str_n(c->arena, name.p, name.n);
	spot_add(c, parent, placement->at, &node);
	return 0;
}

/* Writes opened directories from the leaves up. */
static int spot_write(struct composer *c, struct spot *spot, struct err *err)
{
	struct tree_dir dir = { .n = spot->kids.n };

	if (!spot->open)
		return 0;
	dir.nodes = arena_array(c->arena, dir.n, sizeof(*dir.nodes));
	for (size_t i = 0; i < dir.n; i++) {
		if (spot_write(c, spot->kids.v[i], err) < 0)
			return -1;
		dir.nodes[i] = spot->kids.v[i]->node;
	}
	return directory_save(c->blobs, &dir, &spot->node.ref, err);
}

static int placement_cmp(const void *a, const void *b)
{
	const struct placement *const *x = a, *const *y = b;

	return strcmp((*x)->at, (*y)->at);
}

int place_compose(struct blobs *blobs, const struct placement *placements, size_t n,
                  struct blob_ref *ret_root, struct err *err)
{
	struct spot root = { .node = { .name = "", .kind = NODE_DIR }, .open = true };
	struct composer c = { .blobs = blobs, .arena = arena_new(), .root = &root };
	const struct placement **sorted = arena_array(c.arena, n, sizeof(*sorted));
	int rc = 0;

	/* A path sorts before what lies below it, so outer trees come first. */
	for (size_t i = 0; i < n; i++)
		sorted[i] = &placements[i];
	if (n > 1)
		qsort(sorted, n, sizeof(*sorted), placement_cmp);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = place_one(&c, sorted[i], err);
	if (rc == 0)
		rc = spot_write(&c, &root, err);
	if (rc == 0)
		*ret_root = root.node.ref;
	spot_deinit(&root);
	arena_free(c.arena);
	return rc;
}

int place_find(struct blobs *blobs, struct arena *arena, const struct blob_ref *root,
               const char *path, struct tree_node *ret, struct err *err)
{
	struct tree_node here = { .name = "", .kind = NODE_DIR, .ref = *root };
	struct str rest = str_of(path), part;

	while (path[0] && str_cut(&rest, '/', &part)) {
		int rc;

		if (here.kind != NODE_DIR)
			return PLACE_MISSING;
		rc = directory_find(blobs, arena, &here.ref, part, &here, err);
		if (rc == DIRECTORY_LACKS)
			return PLACE_MISSING;
		if (rc < 0)
			return err_while(err, "looking for %s", path);
	}
	*ret = here;
	return 0;
}

struct walk {
	struct blobs *blobs;
	tree_visit_fn visit;
	void *data;
	struct buf path;
};

/* Puts path back to n bytes. */
static void path_cut(struct buf *path, size_t n)
{
	path->n = n;
	if (path->p)
		path->p[n] = '\0';
}

static int walk_dir(struct walk *walk, const struct blob_ref *ref, struct err *err)
{
	struct arena *arena = arena_new();
	size_t n = walk->path.n;
	struct tree_dir dir = { 0 };
	int rc = directory_load(walk->blobs, arena, ref, &dir, err);

	for (size_t i = 0; rc == 0 && i < dir.n; i++) {
		if (n > 0)
			buf_add_char(&walk->path, '/');
		buf_add_str(&walk->path, dir.nodes[i].name);
		if (walk->path.overflow)
			rc = err_set(err, ERR_INPUT, "a tree is nested too deeply below %.64s…",
			             buf_text(&walk->path));
		else
			rc = walk->visit(walk->data, buf_text(&walk->path), &dir.nodes[i], err);
		if (rc == 0 && dir.nodes[i].kind == NODE_DIR)
			rc = walk_dir(walk, &dir.nodes[i].ref, err);
		path_cut(&walk->path, n);
	}
	arena_free(arena);
	return rc;
}

int tree_walk(struct blobs *blobs, const struct blob_ref *root, tree_visit_fn visit, void *data,
              struct err *err)
{
	struct walk walk = { blobs, visit, data, BUF_INIT(TREE_PATH_MOST) };
	int rc = walk_dir(&walk, root, err);

	buf_deinit(&walk.path);
	return rc;
}
