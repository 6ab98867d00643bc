/* A node's number, its address, the bytes of its key, its action, its result. */
#include "engine/ledger_record.h"

#include <string.h>

static void put_node(struct kept_writer *w, const struct tree_node *node)
{
	kept_put_u32(w, (uint32_t)node->kind << 1 | node->executable);
	kept_put(w, &node->ref, sizeof(node->ref));
	kept_put_str(w, node->kind == NODE_LINK ? node->target : NULL);
}

static void take_node(struct kept *file, struct tree_node *ret)
{
	uint32_t kind = kept_take_u32(file);

	*ret = (struct tree_node){ .name = "" };
	ret->kind = (enum node_kind)(kind >> 1);
	ret->executable = kind & 1;
	kept_take_into(file, &ret->ref, sizeof(ret->ref));
	ret->target = kept_take_str(file);
}

static void put_result(struct kept_writer *w, const struct result *result)
{
	struct result plain = *result;

	plain.outputs = NULL;
	kept_put(w, &plain, sizeof(plain));
	for (size_t i = 0; i < result->n_outputs; i++) {
		kept_put_str(w, result->outputs[i].path);
		put_node(w, result->outputs[i].node);
	}
}

/* Its texts are the arena's: the file is gone before what is done with a result. */
void ledger_record_take_result(struct kept *file, struct arena *arena, struct result *ret)
{
	struct tree_node *nodes;

	kept_take_into(file, ret, sizeof(*ret));
	if (ret->n_outputs > file->n - file->at)
		file->bad = true;
	if (file->bad)
		return;
	ret->outputs = arena_array(arena, ret->n_outputs, sizeof(*ret->outputs));
	nodes = arena_array(arena, ret->n_outputs, sizeof(*nodes));
	for (size_t i = 0; i < ret->n_outputs; i++) {
		ret->outputs[i].path = arena_str(arena, kept_take_str(file));
		ret->outputs[i].node = &nodes[i];
		take_node(file, &nodes[i]);
		nodes[i].target = arena_str(arena, nodes[i].target);
	}
}

bool ledger_record_take(struct kept *file, struct ledger_record *ret)
{
	ret->bytes = kept_take_text(file, &ret->n_bytes);
	kept_take_into(file, &ret->action, sizeof(ret->action));
	return !file->bad && ret->bytes;
}

void ledger_record_skip_result(struct kept *file, struct result *ret)
{
	kept_take_into(file, ret, sizeof(*ret));
	for (size_t i = 0; !file->bad && i < ret->n_outputs; i++) {
		struct tree_node node;

		(void)kept_take_str(file);
		take_node(file, &node);
	}
}

static void put_head(struct kept_writer *w, size_t at, const char *address)
{
	kept_put_u32(w, (uint32_t)at);
	kept_put_str(w, address);
}

void ledger_record_put(struct kept_writer *w, size_t at, const char *address,
                       const struct buf *bytes, const struct blob_ref *action,
                       const struct result *result)
{
	put_head(w, at, address);
	kept_put_text(w, bytes->p, bytes->n);
	kept_put(w, action, sizeof(*action));
	put_result(w, result);
}

void ledger_record_copy(struct kept_writer *w, size_t at, const char *address,
                        const struct kept *file, size_t from)
{
	put_head(w, at, address);
	kept_put(w, file->p + from, file->at - from);
}
