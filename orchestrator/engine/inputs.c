/* From a node's inputs to its key. Everything temporary lies in an arena of its own. */
#include "engine/inputs.h"

#include "base/path.h"
#include "store/directory.h"
#include "store/place.h"

static int output_file(const struct blob_ref *ref, struct tree_node *ret)
{
	*ret = (struct tree_node){ .name = "", .kind = NODE_FILE, .ref = *ref };
	return 0;
}

int engine_output(struct blobs *blobs, struct arena *arena, const struct result *result,
                  const char *path, struct tree_node *ret, struct err *err)
{
	if (!result)
		return PLACE_MISSING;
	if (str_eq(path, "@stdout"))
		return output_file(&result->out, ret);
	if (str_eq(path, "@log"))
		return output_file(&result->log, ret);
	for (size_t i = 0; i < result->n_outputs; i++) {
		const struct result_output *out = &result->outputs[i];
		size_t n = strlen(out->path);

		if (!path_is_below(path, out->path))
			continue;
		if (path[n] == '\0') {
			*ret = *out->node;
			return 0;
		}
		if (out->node->kind != NODE_DIR)
			return PLACE_MISSING;
		return place_find(blobs, arena, &out->node->ref, path + n + 1, ret, err);
	}
	return PLACE_MISSING;
}

static int leaf_node(struct blobs *blobs, struct arena *arena, const struct fact_leaf *leaf,
                     const char *path, struct tree_node *ret, struct err *err)
{
	if (path[0] == '\0') {
		*ret = leaf->node;
		return 0;
	}
	if (leaf->node.kind != NODE_DIR)
		return PLACE_MISSING;
	return place_find(blobs, arena, &leaf->node.ref, path, ret, err);
}

struct key_context {
	struct blobs *blobs;
	struct arena *arena;
	const struct plan *plan;
	const struct facts *facts;
	const struct engine_node *nodes;
};

static int stage_node(struct key_context *c, const struct plan_input *input, struct tree_node *ret,
                      struct err *err)
{
	const struct plan_node *from = &c->plan->nodes[input->node];

	if (!from->pinned)
		return engine_output(c->blobs, c->arena, c->nodes[input->node].result,
		                     input->from.path, ret, err);
	if (!str_eq(input->from.path, from->pin_path))
		return PLACE_MISSING;
	*ret = *from->pin;
	return 0;
}

/* Names in the folder where the path ends to be found, for a hint; NULL: there is none near. */
static const char *nearest_in_leaf(struct key_context *c, const struct ref *ref)
{
	const struct fact_leaf *leaf = map_get(c->facts->leaves, ref->id);
	_cleanup_free_ char *dir = path_dir(ref->path);
	const char *folder = str_eq(dir, ".") ? "" : dir;
	struct tree_dir listed = { 0 };
	struct tree_node node;
	struct err ignored = ERR_INIT;
	const char **names;

	if (leaf_node(c->blobs, c->arena, leaf, folder, &node, &ignored) != 0 ||
	    node.kind != NODE_DIR ||
	    directory_load(c->blobs, c->arena, &node.ref, &listed, &ignored) < 0)
		return NULL;
	names = arena_array(c->arena, listed.n + 1, sizeof(*names));
	for (size_t i = 0; i < listed.n; i++)
		names[i] = listed.nodes[i].name;
	return str_nearest(path_base(ref->path), names);
}

static int refuse_missing(struct key_context *c, const struct plan_node *node,
                          const struct ref *ref, struct err *err)
{
	bool leaf = ref->kind == REF_LEAF;
	const char *near = leaf ? nearest_in_leaf(c, ref) : NULL;

	err_set(err, leaf ? ERR_INPUT : ERR_STAGE,
	        "%s%s%s takes \"%s\" of %s, which has no such file", node->stage->where,
	        node->stage->where[0] ? ": " : "", node->stage->address, ref->path, ref->id);
	return near ? err_hint(err, "did you mean \"%s\"?", near) : -1;
}

static int resolve(struct key_context *c, const struct plan_node *node,
                   const struct plan_input *input, struct placement *ret, struct err *err)
{
	struct blob_ref ref;
	int rc = 0;

	ret->at = input->at;
	switch (input->from.kind) {
	case REF_TEXT:
	case REF_SCRIPT:
		if (blobs_put(c->blobs, input->from.id, strlen(input->from.id), &ref, err) < 0)
			return -1;
		output_file(&ref, &ret->node);
		ret->node.executable = input->from.kind == REF_SCRIPT;
		return 0;
	case REF_LEAF:
		rc = leaf_node(c->blobs, c->arena, map_get(c->facts->leaves, input->from.id),
		               input->from.path, &ret->node, err);
		break;
	case REF_STAGE:
		rc = stage_node(c, input, &ret->node, err);
		break;
	}
	if (rc == PLACE_MISSING)
		return refuse_missing(c, node, &input->from, err);
	return rc;
}

int inputs_find(struct blobs *blobs, struct arena *arena, const struct plan *plan,
                const struct facts *facts, const struct engine_node *nodes,
                const struct plan_node *node, size_t i, struct placement *ret, struct err *err)
{
	struct key_context c = { blobs, arena, plan, facts, nodes };

	return resolve(&c, node, &node->inputs[i], ret, err);
}

int inputs_are_there(struct store *store, const struct plan *plan, const struct facts *facts,
                     const struct plan_node *node, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct key_context c = { store_blobs(store), arena, plan, facts, NULL };
	struct placement found;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < node->n_inputs; i++) {
		if (node->inputs[i].from.kind != REF_LEAF)
			continue;
		rc = resolve(&c, node, &node->inputs[i], &found, err);
		if (rc == 0)
			rc = store_has_node(store, &found.node, err);
	}
	return rc;
}

int inputs_check(struct blobs *blobs, const struct plan *plan, const struct facts *facts,
                 const struct engine_node *nodes, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct key_context c = { blobs, arena, plan, facts, NULL };

	for (size_t i = 0; i < plan->n_wanted; i++) {
		const struct plan_node *node = &plan->nodes[plan->order[i]];
		struct placement ignored;

		if (node->pinned || nodes[plan->order[i]].state != NODE_WANT)
			continue;
		for (size_t j = 0; j < node->n_inputs; j++)
			if (node->inputs[j].from.kind == REF_LEAF && node->inputs[j].from.path[0] &&
			    resolve(&c, node, &node->inputs[j], &ignored, err) < 0)
				return -1;
	}
	return 0;
}

int inputs_key(struct blobs *blobs, const struct plan *plan, const struct facts *facts,
               const struct engine_node *nodes, size_t at, struct ledger *ledger,
               struct blob_ref *ret_action, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct key_context c = { blobs, arena, plan, facts, nodes };
	const struct plan_node *node = &plan->nodes[at];
	struct placement *placements = arena_array(arena, node->n_inputs, sizeof(*placements));
	struct action action = plan_action(plan, node);
	struct blob_ref root;
	_cleanup_buf_ struct buf bytes = BUF_INIT(64 << 20);

	for (size_t i = 0; i < node->n_inputs; i++)
		if (resolve(&c, node, &node->inputs[i], &placements[i], err) < 0)
			return -1;
	if (ledger && ledger_key(ledger, at, placements, ret_action))
		return 0;
	if (place_compose(blobs, placements, node->n_inputs, &root, err) < 0)
		return err_while(err, "laying out the inputs of %s (%s)", node->stage->address,
		                 node->stage->where);
	action.input_root = &root;
	action_encode(&action, &bytes);
	if (bytes.overflow)
		return err_set(err, ERR_INPUT, "%s: %s: the action is larger than 64 MiB",
		               node->stage->where, node->stage->address);
	return blobs_put(blobs, buf_text(&bytes), bytes.n, ret_action, err);
}

int engine_keep_action(struct blobs *blobs, const struct plan *plan, const struct facts *facts,
                       const struct engine_node *nodes, size_t at, struct err *err)
{
	struct blob_ref ignored;

	return inputs_key(blobs, plan, facts, nodes, at, NULL, &ignored, err);
}
