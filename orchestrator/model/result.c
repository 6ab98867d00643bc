/* Results of actions as the store keeps them (declared in model/action.h). */
#include "model/action.h"

#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "external/messages.h"

/* What one output needs while it is packed. */
struct packed_output {
	Kiln__V1__OutputNode message;
	struct message_digest digest;
};

static int output_cmp(const void *a, const void *b)
{
	return strcmp(((const struct result_output *)a)->path,
	              ((const struct result_output *)b)->path);
}

static void fill_output(const struct result_output *output, struct packed_output *packed)
{
	const struct tree_node *node = output->node;

	kiln__v1__output_node__init(&packed->message);
	packed->message.path = (char *)output->path;
	packed->message.kind = (Kiln__V1__OutputKind)node->kind;
	if (node->kind == NODE_LINK) {
		packed->message.target = (char *)node->target;
		return;
	}
	message_digest_fill(&packed->digest, &node->ref);
	packed->message.digest = &packed->digest.message;
	packed->message.is_executable = node->kind == NODE_FILE && node->executable;
}

/* A digest message, or NULL for "none". */
static Kiln__V1__Digest *fill_digest(const struct blob_ref *ref, struct message_digest *digest)
{
	if (digest_is_none(&ref->digest))
		return NULL;
	message_digest_fill(digest, ref);
	return &digest->message;
}

void result_encode(struct result *result, struct buf *buf)
{
	_cleanup_free_ struct packed_output *packed =
		alloc_array(result->n_outputs, sizeof(*packed));
	_cleanup_free_ Kiln__V1__OutputNode **list = alloc_array(result->n_outputs, sizeof(*list));
	Kiln__V1__Result message = KILN__V1__RESULT__INIT;
	struct message_digest out, log, times;

	if (result->n_outputs > 1)
		qsort(result->outputs, result->n_outputs, sizeof(*result->outputs), output_cmp);
	for (size_t i = 0; i < result->n_outputs; i++) {
		fill_output(&result->outputs[i], &packed[i]);
		list[i] = &packed[i].message;
	}
	message.exit_code = result->exit_code;
	message.n_outputs = result->n_outputs;
	message.outputs = list;
	message.out = fill_digest(&result->out, &out);
	message.log = fill_digest(&result->log, &log);
	message.times = fill_digest(&result->times, &times);
	message.wall_us = result->wall_us;
	message.user_us = result->user_us;
	message.system_us = result->system_us;
	message.peak_bytes = result->peak_bytes;
	message.started_us = result->started_us;
	message_pack(&message.base, buf);
}

static bool read_output(struct arena *arena, const Kiln__V1__OutputNode *from,
                        struct result_output *output)
{
	struct tree_node *node = arena_alloc(arena, sizeof(*node));

	output->path = arena_str(arena, from->path);
	output->node = node;
	node->name = "";
	if (!path_is_tree(from->path))
		return false;
	switch (from->kind) {
	case KILN__V1__OUTPUT_KIND__OUTPUT_FILE:
		node->kind = NODE_FILE;
		node->executable = from->is_executable;
		return message_digest_read(from->digest, &node->ref);
	case KILN__V1__OUTPUT_KIND__OUTPUT_DIRECTORY:
		node->kind = NODE_DIR;
		return message_digest_read(from->digest, &node->ref);
	case KILN__V1__OUTPUT_KIND__OUTPUT_SYMLINK:
		node->kind = NODE_LINK;
		node->target = arena_str(arena, from->target);
		return from->target[0] != '\0';
	default:
		return false;
	}
}

static bool read_result(struct arena *arena, const Kiln__V1__Result *message, struct result *result)
{
	*result = (struct result){
		.exit_code = message->exit_code,
		.n_outputs = message->n_outputs,
		.wall_us = message->wall_us,
		.user_us = message->user_us,
		.system_us = message->system_us,
		.peak_bytes = message->peak_bytes,
		.started_us = message->started_us,
	};
	result->outputs = arena_array(arena, result->n_outputs, sizeof(*result->outputs));
	for (size_t i = 0; i < result->n_outputs; i++)
		if (!read_output(arena, message->outputs[i], &result->outputs[i]))
			return false;
	if (message->out && !message_digest_read(message->out, &result->out))
		return false;
	if (message->times && !message_digest_read(message->times, &result->times))
		return false;
	return !message->log || message_digest_read(message->log, &result->log);
}

int result_decode(struct arena *arena, struct str bytes, struct result *ret, struct err *err)
{
	Kiln__V1__Result *message =
		kiln__v1__result__unpack(NULL, bytes.n, (const uint8_t *)bytes.p);
	_cleanup_buf_ struct buf again = BUF_INIT(bytes.n);
	struct result result;
	bool good;

	if (!message)
		return err_set(err, ERR_IO, "a recorded result is corrupt");
	good = read_result(arena, message, &result);
	kiln__v1__result__free_unpacked(message, NULL);
	if (good)
		result_encode(&result, &again);
	if (!good || again.overflow || !str_same(buf_str(&again), bytes))
		return err_set(err, ERR_IO, "a recorded result is malformed");
	*ret = result;
	return 0;
}
