/*
 * Two sides of a stage against each other: inputs place by place, the image package by package, the
 * rest of the action field by field. Where an input comes from another stage that ran meanwhile, that
 * one's two runs are compared in turn, out of what the store keeps of them.
 */
#include "engine/explain_impl.h"

#include <string.h>

#include "engine/cause.h"

enum {
	DEEPEST = 200, /* stages in a row that ran meanwhile; below, only their names are told */
	TEXT_MOST = 1 << 20, /* of a text of the recipe that is shown */
};

const char *explain_kept(struct explainer *x, const char *address)
{
	if (!x->request->recipe)
		return address;
	if (x->kept_of != address) {
		free(x->kept);
		x->kept = str_fmt("%s:%s", x->request->recipe, address);
		x->kept_of = address;
	}
	return x->kept;
}

struct explanation *explain_new(struct explainer *x, const char *address, enum explained state,
                                enum reason reason)
{
	struct explanation *e = arena_alloc(x->arena, sizeof(*e));

	e->address = address;
	e->state = state;
	e->reason = reason;
	e->changes.arena = x->arena;
	return e;
}

int64_t explain_ran_at(const struct explainer *x, const struct digest *action)
{
	struct result result;
	struct err ignored = ERR_INIT;

	return store_get_result(x->request->store, x->arena, action, &result, &ignored) == 0 ?
	               result.started_us :
	               0;
}

/* ---- images --------------------------------------------------------------------------------- */

static const char *package_key(struct arena *arena, const json_t *package)
{
	return arena_fmt(arena, "%s:%s", json_str_or(package, "name", "?"),
	                 json_str_or(package, "architecture", "?"));
}

static struct map *packages_by_name(struct arena *arena, const json_t *packages)
{
	struct map *map = map_new();
	json_t *package;
	size_t i;

	json_array_foreach (packages, i, package)
		map_set(map, package_key(arena, package),
		        arena_str(arena, json_str_or(package, "version", "?")));
	return map;
}

static void compare_packages(struct explainer *x, struct changes *changes, const struct map *before,
                             const struct map *after)
{
	for (size_t i = 0; i < map_count(before); i++) {
		const struct map_entry *entry = map_at(before, i);
		const char *now = map_get(after, entry->key);

		if (!now || !str_eq(now, entry->value))
			changes_add(changes,
			            &(struct change){ CHANGE_PACKAGE,
			                              arena_str(x->arena, entry->key), entry->value,
			                              now, NULL, NULL, NULL });
	}
	for (size_t i = 0; i < map_count(after); i++) {
		const struct map_entry *entry = map_at(after, i);

		if (!map_get(before, entry->key))
			changes_add(changes,
			            &(struct change){ CHANGE_PACKAGE,
			                              arena_str(x->arena, entry->key), NULL,
			                              entry->value, NULL, NULL, NULL });
	}
}

/* Which packages make the images differ; where they are not known the digests are all there is. */
static void add_packages(struct explainer *x, struct changes *changes, const struct digest *before,
                         const struct digest *after)
{
	const struct explain_request *r = x->request;
	_cleanup_json_ json_t *b = NULL, *a = NULL;
	struct map *old, *new;

	if (!r->packages || !before || !after || digest_eq(before, after))
		return;
	b = r->packages(r->data, before);
	a = r->packages(r->data, after);
	if (!b || !a)
		return;
	old = packages_by_name(x->arena, b);
	new = packages_by_name(x->arena, a);
	compare_packages(x, changes, old, new);
	map_free(old);
	map_free(new);
}

/* ---- inputs --------------------------------------------------------------------------------- */

static int explain_pair(struct explainer *x, const char *address, const struct digest *before,
                        const struct digest *after, const struct explanation **ret,
                        struct err *err);

static const char *came_from(struct arena *arena, const struct side_input *input)
{
	static const char *const called[] = {
		[ORIGIN_LEAF] = "the source ",
		[ORIGIN_STAGE] = "the stage ",
		[ORIGIN_PROFILE] = "the lock in place of ",
	};

	if (!input)
		return NULL;
	if (input->kind == ORIGIN_TEXT)
		return "the recipe";
	return arena_fmt(arena, "%s%s%s%s", called[input->kind], input->id,
	                 input->path[0] ? ":" : "", input->path);
}

/* What the recipe writes into a file; its digest where it is large or lost. */
static const char *text_of(struct explainer *x, const struct tree_node *node)
{
	_cleanup_buf_ struct buf text = BUF_INIT(TEXT_MOST);
	struct err ignored = ERR_INIT;

	if (node->ref.size > TEXT_MOST ||
	    blobs_read(x->source.blobs, &node->ref, &text, &ignored) != 0)
		return change_digest_text(x->arena, &node->ref.digest);
	return arena_str(x->arena, buf_text(&text));
}

static void add_file(struct explainer *x, struct changes *changes, const struct side_input *before,
                     const struct side_input *after)
{
	const bool leaf = after->kind == ORIGIN_LEAF;

	if (after->kind == ORIGIN_TEXT) {
		changes_add(changes,
		            &(struct change){ CHANGE_TEXT, after->at, text_of(x, &before->node),
		                              text_of(x, &after->node), NULL, NULL, NULL });
		return;
	}
	change_of_nodes(changes, x->source.blobs, leaf ? after->id : NULL,
	                leaf ? after->path : after->at, &before->node, &after->node);
}

/* Only what has changed asks for other nodes by their addresses. */
static const struct map *addresses(struct explainer *x)
{
	const struct plan *plan = x->request->plan;

	if (x->by_address)
		return x->by_address;
	x->by_address = map_new_borrowing();
	for (size_t i = 0; i < plan->n_nodes; i++)
		map_set(x->by_address, plan->nodes[i].stage->address, (void *)(uintptr_t)(i + 1));
	return x->by_address;
}

static const struct explanation *of_node(struct explainer *x, const char *address)
{
	size_t at = (size_t)(uintptr_t)map_get(addresses(x), address);

	return at ? x->done[at - 1] : NULL;
}

/* An output of a stage that is another one now, or may be. */
static int add_stage(struct explainer *x, struct changes *changes, const struct side_input *before,
                     const struct side_input *after, struct err *err)
{
	struct change change = { CHANGE_STAGE, after->id, NULL, NULL, after->path, NULL, NULL };

	if (!after->known) {
		change.because = of_node(x, after->id);
	} else {
		change.before = change_digest_text(x->arena, &before->node.ref.digest);
		change.after = change_digest_text(x->arena, &after->node.ref.digest);
		if (explain_pair(x, after->id, &before->action, &after->action, &change.because,
		                 err) < 0)
			return -1;
	}
	changes_add(changes, &change);
	return 0;
}

static bool is_same_origin(const struct side_input *a, const struct side_input *b)
{
	return a->kind == b->kind &&
	       (a->kind == ORIGIN_TEXT || (str_eq(a->id, b->id) && str_eq(a->path, b->path)));
}

/* One place of the work folder, of which both know something. */
static int compare_input(struct explainer *x, struct changes *changes,
                         const struct side_input *before, const struct side_input *after,
                         struct err *err)
{
	if (before->known && after->known && change_same_node(&before->node, &after->node))
		return 0;
	if (!is_same_origin(before, after) || !before->known) {
		changes_add(changes,
		            &(struct change){ CHANGE_INPUT, after->at, came_from(x->arena, before),
		                              came_from(x->arena, after), NULL, NULL, NULL });
		/* Under another name it may still be the old thing, changed. */
		if (after->known && (!before->known || before->kind != after->kind))
			return 0;
	}
	if (after->kind == ORIGIN_STAGE)
		return add_stage(x, changes, before, after, err);
	if (after->kind == ORIGIN_PROFILE)
		changes_add(changes, &(struct change){
					     CHANGE_PROFILE, after->id,
					     change_digest_text(x->arena, &before->node.ref.digest),
					     change_digest_text(x->arena, &after->node.ref.digest),
					     after->path, NULL, NULL });
	else
		add_file(x, changes, before, after);
	return 0;
}

static const struct side_input *input_at(const struct side *side, const char *at)
{
	for (size_t i = 0; i < side->n_inputs; i++)
		if (str_eq(side->inputs[i].at, at))
			return &side->inputs[i];
	return NULL;
}

/* Whether it has an input's origin, and stands where the other side has nothing. */
static bool may_have_moved(const struct side_input *it, const struct side *other,
                           const struct side_input *input)
{
	return input->kind != ORIGIN_TEXT && is_same_origin(it, input) && !input_at(other, it->at);
}

/* The input of the same origin that stands elsewhere on the other side: of several the first is paired
 * with the first, and so on. */
static const struct side_input *moved(const struct side *side, const struct side *own,
                                      const struct side_input *input)
{
	size_t skip = 0;

	for (const struct side_input *it = own->inputs; it < input; it++)
		skip += may_have_moved(it, side, input);
	for (size_t i = 0; i < side->n_inputs; i++)
		if (may_have_moved(&side->inputs[i], own, input) && skip-- == 0)
			return &side->inputs[i];
	return NULL;
}

/* One that stands where there was nothing before: brought from another place, or new. */
static int add_new_place(struct explainer *x, struct changes *changes, const struct side *before,
                         const struct side *after, const struct side_input *now, struct err *err)
{
	const struct side_input *then = moved(before, after, now);

	if (then) {
		changes_add(changes, &(struct change){ CHANGE_PLACE, came_from(x->arena, now),
		                                       then->at, now->at, NULL, NULL, NULL });
		return compare_input(x, changes, then, now, err);
	}
	changes_add(changes, &(struct change){ CHANGE_INPUT, now->at, NULL,
	                                       came_from(x->arena, now), NULL, NULL, NULL });
	return now->known ? 0 : add_stage(x, changes, now, now, err);
}

static int compare_inputs(struct explainer *x, struct changes *changes, const struct side *before,
                          const struct side *after, struct err *err)
{
	for (size_t i = 0; i < after->n_inputs; i++) {
		const struct side_input *now = &after->inputs[i], *then = input_at(before, now->at);
		int rc = then ? compare_input(x, changes, then, now, err) :
		                add_new_place(x, changes, before, after, now, err);

		if (rc < 0)
			return -1;
	}
	for (size_t i = 0; i < before->n_inputs; i++) {
		const struct side_input *then = &before->inputs[i];

		if (!input_at(after, then->at) && !moved(after, before, then))
			changes_add(changes, &(struct change){ CHANGE_INPUT, then->at,
			                                       came_from(x->arena, then), NULL,
			                                       NULL, NULL, NULL });
	}
	return 0;
}

/* What differs between two premises, read once for all stages. */
static const struct causes *causes(struct explainer *x, const struct digest *before,
                                   const struct digest *after)
{
	struct digest key[2] = { *before, *after };
	struct causes *known = map_get_n(x->causes, key, sizeof(key));

	if (!known) {
		known = causes_between(x->arena, x->source.blobs, before, after);
		map_set_n(x->causes, key, sizeof(key), known);
	}
	return known;
}

/* Without origins the trees themselves are compared, by their paths in the work folder. */
static void compare_roots(struct explainer *x, struct changes *changes, const struct side *before,
                          const struct side *after)
{
	const struct tree_node b = { "", NODE_DIR, false, *before->action.input_root, NULL };
	const struct tree_node a = { "", NODE_DIR, false, *after->action.input_root, NULL };

	if (!digest_is_none(&a.ref.digest) && !digest_is_none(&b.ref.digest))
		change_of_nodes(changes, x->source.blobs, NULL, "", &b, &a);
}

/* ---- two sides ------------------------------------------------------------------------------ */

static void note_equal(struct explanation *e)
{
	e->equal = e->changes.n_more ? 0 : UINT32_MAX;
	for (size_t i = 0; i < e->changes.n; i++)
		e->equal &= ~(UINT32_C(1) << e->changes.list[i].kind);
}

int explain_compare(struct explainer *x, struct explanation *e, const struct side *before,
                    const struct side *after, struct err *err)
{
	/* Files come last: there may be thousands, and what stands behind them would not be seen. */
	change_of_actions(&e->changes, &before->action, &after->action);
	add_packages(x, &e->changes, before->action.image, after->action.image);
	if (before->has_origins && after->has_origins) {
		if (compare_inputs(x, &e->changes, before, after, err) < 0)
			return -1;
	} else {
		compare_roots(x, &e->changes, before, after);
	}
	causes_find(causes(x, &before->premises, &after->premises), &e->changes);
	note_equal(e);
	return 0;
}

/* Why a stage, run as `before` once, gave another output when it ran as `after`. */
static int compare_pair(struct explainer *x, struct explanation *e, const struct digest *before,
                        const struct digest *after, struct err *err)
{
	struct side old, new;
	int rc;

	if (digest_eq(before, after)) {
		e->reason = REASON_AGAIN;
		return 0;
	}
	rc = side_of_action(&x->source, explain_kept(x, e->address), before, &old, err);
	if (rc == 0)
		rc = side_of_action(&x->source, explain_kept(x, e->address), after, &new, err);
	if (rc < 0)
		return -1;
	e->since_us = explain_ran_at(x, before);
	if (rc == STORE_MISS) {
		e->reason = REASON_UNKNOWN;
		return 0;
	}
	return explain_compare(x, e, &old, &new, err);
}

static int explain_pair(struct explainer *x, const char *address, const struct digest *before,
                        const struct digest *after, const struct explanation **ret, struct err *err)
{
	/* Several stages may be one action: each has its own reasons. */
	_cleanup_free_ char *key =
		str_fmt("%s %s %s", DIGEST_TEXT(before), DIGEST_TEXT(after), address);
	struct explanation *e = map_get(x->pairs, key);
	int rc;

	/* One that leads to itself, by origins of different times, is told by its name alone. */
	*ret = e && !e->open ? e : NULL;
	if (e || x->depth == DEEPEST)
		return 0;
	e = explain_new(x, address, EXPLAIN_OTHERWISE, REASON_CHANGED);
	map_set(x->pairs, key, e);
	x->depth++;
	e->open = true;
	rc = compare_pair(x, e, before, after, err);
	e->open = false;
	x->depth--;
	*ret = e;
	return rc;
}

int explain_wait(struct explainer *x, struct explanation *e, const struct side_input *input,
                 struct err *err)
{
	return add_stage(x, &e->changes, input, input, err);
}
