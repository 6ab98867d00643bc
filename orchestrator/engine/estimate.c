/*
 * What history says: how long a stage will take, from its last run or from its kind, and what a
 * failed one said at its end.
 */
#include "engine/estimate.h"

#include "base/alloc.h"
#include "host/clock.h"

enum { TAIL_BYTES = 4000, TAIL_LINES = 12, LOG_MOST = 256 << 20 };

/* By kind; *ret_long: that is a shot in the dark. */
static int64_t guess(const char *kind, bool *ret_long)
{
	static const struct {
		const char *kind;
		int64_t seconds;
	} guesses[] = {
		{ "build", 20 }, { "instrument", 20 }, { "rebuild", 20 },
		{ "run", 10 },   { "workload", 2 },    { "bolt-workload", 2 },
	};

	*ret_long = true;
	for (size_t i = 0; i < ARRAY_LEN(guesses); i++)
		if (str_eq(kind, guesses[i].kind))
			return guesses[i].seconds * 1000000;
	*ret_long = false;
	return 300000;
}

/* ---- the last runs -------------------------------------------------------------------------- */

enum { MANY = 1000 }; /* stages that are not looked up one by one */

/* Wanted nodes beside the addresses of the store, both in order. */
struct meeting {
	const struct plan *plan;
	struct engine_node *nodes;
	size_t *order, at, n;
	size_t prefix; /* bytes of the recipe's name in front of addresses */
};

static int address_cmp(const void *a, const void *b, void *data)
{
	const struct plan *plan = data;

	return strcmp(plan->nodes[*(const size_t *)a].stage->address,
	              plan->nodes[*(const size_t *)b].stage->address);
}

static void meet(void *data, const char *address, const struct digest *action, int64_t wall_us,
                 bool failed)
{
	struct meeting *m = data;
	int order = -1;

	while (m->at < m->n) {
		order = strcmp(m->plan->nodes[m->order[m->at]].stage->address, address + m->prefix);
		if (order >= 0)
			break;
		m->at++;
	}
	if (order != 0)
		return;
	m->nodes[m->order[m->at]].estimate = wall_us;
	if (!failed)
		m->nodes[m->order[m->at]].last = *action;
	m->at++;
}

/* -1 stays the estimate of those that never ran. */
static int look_at_all(struct store *store, const struct plan *plan, const char *recipe,
                       struct engine_node *nodes, struct err *err)
{
	_cleanup_free_ char *prefix = str_fmt("%s:", recipe);
	struct meeting m = { .plan = plan, .nodes = nodes, .n = plan->n_wanted };
	bool sorted = true;
	int rc;

	m.prefix = strlen(prefix);
	m.order = alloc_array(m.n, sizeof(*m.order));
	memcpy(m.order, plan->order, m.n * sizeof(*m.order));
	for (size_t i = 1; i < m.n && sorted; i++)
		sorted = address_cmp(&m.order[i - 1], &m.order[i], (void *)plan) < 0;
	if (!sorted)
		qsort_r(m.order, m.n, sizeof(*m.order), address_cmp, (void *)plan);
	rc = store_each_last(store, prefix, meet, &m, err);
	free(m.order);
	return rc;
}

static int look_at_each(struct store *store, const struct plan *plan, const char *recipe,
                        struct engine_node *nodes, struct err *err)
{
	struct digest last;

	for (size_t i = 0; i < plan->n_wanted; i++) {
		size_t at = plan->order[i];
		const char *kept =
			engine_kept_under(plan->arena, recipe, plan->nodes[at].stage->address);

		if (store_last_action(store, kept, &last, &nodes[at].estimate, err) < 0)
			return -1;
	}
	return 0;
}

int estimate_look(struct store *store, const struct plan *plan, const char *recipe,
                  struct engine_node *nodes, struct err *err)
{
	for (size_t i = 0; i < plan->n_wanted; i++)
		nodes[plan->order[i]].estimate = -1;
	return (recipe && plan->n_wanted >= MANY ? look_at_all : look_at_each)(store, plan, recipe,
	                                                                       nodes, err);
}

void estimate_ranks(const struct plan *plan, struct engine_node *nodes)
{
	for (size_t i = plan->n_wanted; i-- > 0;) {
		size_t at = plan->order[i];
		const struct plan_node *node = &plan->nodes[at];
		struct engine_node *n = &nodes[at];
		int64_t most = 0;

		if (n->estimate < 0)
			n->estimate = guess(node->stage->kind, &n->guessed);
		for (size_t u = 0; u < node->n_users; u++)
			if (nodes[node->users[u]].rank > most)
				most = nodes[node->users[u]].rank;
		n->rank = n->estimate + most;
	}
}

static bool is_over(enum node_state state)
{
	return state != NODE_WANT && state != NODE_READY && state != NODE_RUNNING;
}

/* What is left of a node's own time. One that takes longer than it did ends at any moment. */
static int64_t own_left(const struct engine_node *n, int64_t now)
{
	int64_t ran = n->state == NODE_RUNNING ? now - n->stint->started_us : 0;

	return ran < n->estimate ? n->estimate - ran : 0;
}

/* When the last of what a node takes is done; -1: not known. */
static int64_t deps_left(const struct plan_node *node, const struct engine_node *nodes)
{
	int64_t most = 0;

	for (size_t i = 0; i < node->n_deps; i++) {
		int64_t left = nodes[node->deps[i]].left_us;

		if (left < 0)
			return -1;
		if (left > most)
			most = left;
	}
	return most;
}

/* The longest path, or the work by how much goes on at once where that is more. */
int64_t estimate_left(const struct plan *plan, struct engine_node *nodes, size_t slots,
                      size_t *ret_critical)
{
	int64_t now = clock_mono_us(), path = 0, work = 0, critical = -1;
	bool known = true;

	*ret_critical = SIZE_MAX;
	for (size_t i = 0; i < plan->n_wanted; i++) {
		size_t at = plan->order[i];
		struct engine_node *n = &nodes[at];
		int64_t own = own_left(n, now), from;

		n->left_us = 0;
		if (is_over(n->state) || plan->nodes[at].pinned)
			continue;
		from = deps_left(&plan->nodes[at], nodes);
		n->left_us = n->guessed || from < 0 ? -1 : from + own;
		known &= n->left_us >= 0;
		path = n->left_us > path ? n->left_us : path;
		work += own;
		if (n->state == NODE_RUNNING && n->rank - n->estimate + own > critical) {
			critical = n->rank - n->estimate + own;
			*ret_critical = at;
		}
	}
	work /= (int64_t)slots;
	return !known ? -1 : path > work ? path : work;
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
