/*
 * What history says: how long a stage will take, from its last run or from its kind, and what a
 * failed one said at its end.
 */
#include "engine/estimate.h"

#include "base/alloc.h"

enum { TAIL_BYTES = 4000, TAIL_LINES = 12, LOG_MOST = 256 << 20 };

static int64_t guess(const char *kind)
{
	static const struct {
		const char *kind;
		int64_t seconds;
	} guesses[] = {
		{ "build", 20 }, { "instrument", 20 }, { "rebuild", 20 },
		{ "run", 10 },   { "workload", 2 },    { "bolt-workload", 2 },
	};

	for (size_t i = 0; i < ARRAY_LEN(guesses); i++)
		if (str_eq(kind, guesses[i].kind))
			return guesses[i].seconds * 1000000;
	return 300000;
}

int estimate_ranks(struct store *store, const struct plan *plan, const char *recipe,
                   struct engine_node *nodes, struct err *err)
{
	for (size_t i = plan->n_wanted; i-- > 0;) {
		size_t at = plan->order[i];
		const struct plan_node *node = &plan->nodes[at];
		struct engine_node *n = &nodes[at];
		const char *kept = engine_kept_under(plan->arena, recipe, node->stage->address);
		struct digest last;
		int64_t most = 0;
		int rc = store_last_action(store, kept, &last, &n->estimate, err);

		if (rc < 0)
			return -1;
		if (rc == STORE_MISS)
			n->estimate = guess(node->stage->kind);
		for (size_t u = 0; u < node->n_users; u++)
			if (nodes[node->users[u]].rank > most)
				most = nodes[node->users[u]].rank;
		n->rank = n->estimate + most;
	}
	return 0;
}

char *log_tail(struct blobs *blobs, struct arena *arena, const struct result *result)
{
	_cleanup_buf_ struct buf text = BUF_INIT(LOG_MOST);
	struct err ignored = ERR_INIT;
	const char *from;
	int lines = 0;

	if (blobs_read(blobs, &result->log, &text, &ignored) != 0 || text.n == 0)
		if (blobs_read(blobs, &result->out, &text, &ignored) != 0)
			return NULL;
	from = buf_text(&text) + text.n;
	while (from > buf_text(&text) && lines < TAIL_LINES &&
	       text.n - (size_t)(from - buf_text(&text)) < TAIL_BYTES)
		if (*--from == '\n' && from[1] != '\0' && ++lines == TAIL_LINES)
			from++;
	return arena_str(arena, from);
}
