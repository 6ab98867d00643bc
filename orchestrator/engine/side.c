/* Actions with where their inputs came from, out of the plan and out of the store. */
#include "engine/side.h"

#include "engine/inputs.h"
#include "external/json.h"
#include "store/place.h"

enum { ORIGINS_MOST = 256 << 20, ACTION_MOST = 64 << 20 };

static const char *const words[] = {
	[ORIGIN_LEAF] = "leaf",
	[ORIGIN_STAGE] = "stage",
	[ORIGIN_PROFILE] = "profile",
	[ORIGIN_TEXT] = "text",
};

static enum origin origin_of(const struct plan *plan, const struct plan_input *input)
{
	switch (input->from.kind) {
	case REF_TEXT:
	case REF_SCRIPT:
		return ORIGIN_TEXT;
	case REF_LEAF:
		return ORIGIN_LEAF;
	case REF_STAGE:
		break;
	}
	return plan->nodes[input->node].pinned ? ORIGIN_PROFILE : ORIGIN_STAGE;
}

/* ---- keeping -------------------------------------------------------------------------------- */

static json_t *input_json(const struct plan *plan, const struct engine_node *nodes,
                          const struct plan_input *input)
{
	enum origin kind = origin_of(plan, input);
	json_t *json = json_pack("{s:s,s:s}", "at", input->at, "kind", words[kind]);

	if (kind == ORIGIN_TEXT)
		return json;
	json_object_set_new(json, "id", json_string(input->from.id));
	json_object_set_new(json, "path", json_string(input->from.path));
	if (kind == ORIGIN_STAGE)
		json_object_set_new(json, "action",
		                    json_string(DIGEST_TEXT(&nodes[input->node].action)));
	return json;
}

int side_keep(struct store *store, const char *kept, const struct plan *plan,
              const struct engine_node *nodes, size_t at, const struct digest *premises,
              struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(ORIGINS_MOST);
	const struct plan_node *node = &plan->nodes[at];
	json_t *inputs = json_array();
	_cleanup_json_ json_t *json =
		json_pack("{s:s,s:o}", "schema", "kiln.origins/1", "inputs", inputs);

	for (size_t i = 0; i < node->n_inputs; i++)
		json_array_append_new(inputs, input_json(plan, nodes, &node->inputs[i]));
	if (!digest_is_none(premises))
		json_object_set_new(json, "premises", json_string(DIGEST_TEXT(premises)));
	json_write_canonical(json, &text);
	if (text.overflow)
		return 0; /* it will be explained by the action alone */
	return store_put_origins(store, kept, &nodes[at].action, buf_text(&text), err);
}

/* ---- out of the store ------------------------------------------------------------------------ */

/* Returns 0 or STORE_MISS. */
static int read_action(const struct side_source *source, const struct digest *digest,
                       struct action *ret, struct err *err)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(ACTION_MOST);
	struct blob_ref ref = { .digest = *digest };
	struct err corrupt = ERR_INIT;
	int rc;

	if (!blobs_find(source->blobs, &ref))
		return STORE_MISS;
	rc = blobs_read(source->blobs, &ref, &bytes, err);
	if (rc)
		return rc < 0 ? -1 : STORE_MISS;
	return action_decode(source->arena, buf_str(&bytes), ret, &corrupt) < 0 ? STORE_MISS : 0;
}

static bool read_origin(struct arena *arena, const json_t *json, struct side_input *ret)
{
	const char *kind = json_str_or(json, "kind", "");
	const char *action = json_str_or(json, "action", NULL);
	size_t i = 0;

	while (i < ARRAY_LEN(words) && !str_eq(words[i], kind))
		i++;
	if (i == ARRAY_LEN(words) || (action && !digest_parse(action, &ret->action)))
		return false;
	ret->kind = (enum origin)i;
	ret->at = arena_str(arena, json_str_or(json, "at", ""));
	ret->id = arena_str(arena, json_str_or(json, "id", ""));
	ret->path = arena_str(arena, json_str_or(json, "path", ""));
	return true;
}

/* What is not as we write it is as good as nothing. */
static bool read_origins(struct arena *arena, const char *body, struct side *side)
{
	_cleanup_json_ json_t *json = NULL;
	const char *premises;
	json_t *inputs;
	struct err ignored = ERR_INIT;

	if (json_parse(body, strlen(body), "origins", &json, &ignored) < 0 ||
	    !str_eq(json_str_or(json, "schema", ""), "kiln.origins/1"))
		return false;
	inputs = json_object_get(json, "inputs");
	premises = json_str_or(json, "premises", NULL);
	if (premises && !digest_parse(premises, &side->premises))
		return false;
	side->inputs = arena_array(arena, json_array_size(inputs), sizeof(*side->inputs));
	for (size_t i = 0; i < json_array_size(inputs); i++)
		if (!read_origin(arena, json_array_get(inputs, i), &side->inputs[side->n_inputs++]))
			return false;
	return true;
}

int side_of_action(const struct side_source *source, const char *kept, const struct digest *action,
                   struct side *ret, struct err *err)
{
	_cleanup_free_ char *body = NULL;
	struct err lost = ERR_INIT;
	int rc;

	*ret = (struct side){ 0 };
	rc = read_action(source, action, &ret->action, err);
	if (rc)
		return rc;
	rc = store_get_origins(source->store, kept, action, &body, err);
	if (rc < 0)
		return -1;
	ret->has_origins = rc == 0 && read_origins(source->arena, body, ret);
	if (!ret->has_origins)
		ret->n_inputs = 0;
	for (size_t i = 0; i < ret->n_inputs; i++)
		ret->inputs[i].known =
			place_find(source->blobs, source->arena, ret->action.input_root,
		                   ret->inputs[i].at, &ret->inputs[i].node, &lost) == 0;
	return 0;
}

/* ---- out of the plan ------------------------------------------------------------------------- */

/* As it comes out of the store: what the plan holds is in no order. */
static int put_in_order(struct arena *arena, struct action *action, struct err *err)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(ACTION_MOST);

	action_encode(action, &bytes);
	return action_decode(arena, buf_str(&bytes), action, err);
}

bool side_waits(const struct side_source *source, size_t at, size_t i, struct side_input *ret)
{
	const struct plan_input *input = &source->plan->nodes[at].inputs[i];
	const struct engine_node *from;

	if (origin_of(source->plan, input) != ORIGIN_STAGE)
		return false;
	from = &source->nodes[input->node];
	*ret = (struct side_input){
		.at = input->at,
		.kind = ORIGIN_STAGE,
		.id = input->from.id,
		.path = input->from.path,
		.action = from->action,
	};
	return from->state != NODE_CACHED && from->state != NODE_DONE;
}

/* An input whose node is known, or waits. What a source lacks is refused before. */
static void take_input(const struct side_source *source, const struct plan_node *node, size_t i,
                       struct side_input *ret)
{
	const struct plan_input *input = &node->inputs[i];
	struct placement placement;
	struct err ignored = ERR_INIT;

	*ret = (struct side_input){
		.at = input->at,
		.kind = origin_of(source->plan, input),
		.id = input->from.id,
		.path = input->from.path,
	};
	if (ret->kind == ORIGIN_STAGE) {
		ret->action = source->nodes[input->node].action;
		if (source->nodes[input->node].state != NODE_CACHED &&
		    source->nodes[input->node].state != NODE_DONE)
			return;
	}
	if (inputs_find(source->blobs, source->arena, source->plan, source->facts, source->nodes,
	                node, i, &placement, &ignored) < 0)
		return;
	ret->known = true;
	ret->node = placement.node;
}

int side_of_node(const struct side_source *source, size_t at, struct side *ret, struct err *err)
{
	const struct plan_node *node = &source->plan->nodes[at];
	const struct engine_node *known = &source->nodes[at];
	int rc;

	*ret = (struct side){
		.action = plan_action(source->plan, node),
		.inputs = arena_array(source->arena, node->n_inputs, sizeof(*ret->inputs)),
		.n_inputs = node->n_inputs,
		.has_origins = true,
		.premises = source->premises,
	};
	if (digest_is_none(&known->action))
		rc = put_in_order(source->arena, &ret->action, err);
	else
		rc = engine_keep_action(source->blobs, source->plan, source->facts, source->nodes,
		                        at, err);
	if (rc == 0 && !digest_is_none(&known->action))
		rc = read_action(source, &known->action, &ret->action, err);
	if (rc == STORE_MISS)
		return blobs_miss(&(struct blob_ref){ .digest = known->action }, "an action", err);
	if (rc < 0)
		return -1;
	for (size_t i = 0; i < node->n_inputs; i++)
		take_input(source, node, i, &ret->inputs[i]);
	return 0;
}
