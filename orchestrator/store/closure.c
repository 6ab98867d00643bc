/* From names to all content behind them. */
#include "store/closure.h"

#include <string.h>

#include "base/arena.h"
#include "store/directory.h"

enum { ACTION_MOST = 64 << 20, LISTING_MOST = 64 << 20 };

static void add_tree(struct closure *c, const struct blob_ref *ref, enum closure_how how)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct tree_dir dir = { 0 };
	struct err ignored = ERR_INIT;

	if (!c->tell(c->data, &ref->digest, how) || !blobs_has(c->blobs, ref) ||
	    directory_load(c->blobs, arena, ref, &dir, &ignored) < 0)
		return;
	for (size_t i = 0; i < dir.n; i++) {
		const struct tree_node *node = &dir.nodes[i];

		if (node->kind == NODE_DIR)
			add_tree(c, &node->ref, how);
		else if (node->kind == NODE_FILE && how == CLOSURE_WHOLE)
			c->tell(c->data, &node->ref.digest, how);
	}
}

static void add_node(struct closure *c, const struct tree_node *node)
{
	if (node->kind == NODE_DIR)
		add_tree(c, &node->ref, CLOSURE_WHOLE);
	else if (node->kind == NODE_FILE)
		c->tell(c->data, &node->ref.digest, CLOSURE_WHOLE);
}

/* The document, and the listings of its inputs: `explain` compares files by their digests alone. */
static void add_action(struct closure *c, const struct digest *digest)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_buf_ struct buf bytes = BUF_INIT(ACTION_MOST);
	struct blob_ref ref = { .digest = *digest };
	struct action action;
	struct err ignored = ERR_INIT;

	c->tell(c->data, digest, CLOSURE_WHOLE);
	if (!blobs_find(c->blobs, &ref) || blobs_read(c->blobs, &ref, &bytes, &ignored) != 0 ||
	    action_decode(arena, buf_str(&bytes), &action, &ignored) < 0)
		return;
	add_tree(c, action.input_root, CLOSURE_LISTING);
}

void closure_of_result(struct closure *c, const struct digest *action, const struct result *result)
{
	for (size_t i = 0; i < result->n_outputs; i++)
		add_node(c, result->outputs[i].node);
	c->tell(c->data, &result->out.digest, CLOSURE_WHOLE);
	c->tell(c->data, &result->log.digest, CLOSURE_WHOLE);
	if (!digest_is_none(&result->times.digest))
		c->tell(c->data, &result->times.digest, CLOSURE_WHOLE);
	add_action(c, action);
}

void closure_of_digest(struct closure *c, const struct digest *digest)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_buf_ struct buf bytes = BUF_INIT(LISTING_MOST);
	struct blob_ref ref = { .digest = *digest };
	struct tree_dir dir;
	struct err ignored = ERR_INIT;

	/* What reads like a listing is one: at worst something stays that could have gone. */
	if (blobs_find(c->blobs, &ref) && ref.size <= LISTING_MOST &&
	    blobs_read(c->blobs, &ref, &bytes, &ignored) == 0 &&
	    tree_dir_decode(arena, buf_str(&bytes), &dir, &ignored) == 0)
		add_tree(c, &ref, CLOSURE_WHOLE);
	else
		c->tell(c->data, digest, CLOSURE_WHOLE);
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

void closure_of_text(struct closure *c, const char *text, size_t n)
{
	size_t length = 0;

	for (size_t i = 0; i <= n; i++) {
		if (i < n && is_hex(text[i])) {
			length++;
			continue;
		}
		if (length == DIGEST_HEX_LEN) {
			char hex[DIGEST_HEX_SIZE] = "";
			struct digest digest;

			memcpy(hex, text + i - DIGEST_HEX_LEN, DIGEST_HEX_LEN);
			if (digest_parse(hex, &digest))
				c->tell(c->data, &digest, CLOSURE_WHOLE);
		}
		length = 0;
	}
}
