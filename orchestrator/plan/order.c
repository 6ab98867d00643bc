/* What goals need, each node behind what it takes; a cycle is refused, and printed. */
#include "plan/order.h"

#include "base/alloc.h"
#include "base/buf.h"

enum {
	CYCLE_ENDS = 5
}; /* stages of a long cycle that are named, of its beginning and its end each */

/* The next stage of a cycle: what is open and taken. */
static size_t next_open(const struct plan *plan, const enum order_mark *marks, size_t at)
{
	const struct plan_node *node = &plan->nodes[at];

	for (size_t i = 0; i < node->n_deps; i++)
		if (marks[node->deps[i]] == ORDER_OPEN)
			return node->deps[i];
	bug_on(true);
	return at;
}

/* A cycle may be as long as the recipe: of a long one both ends are named. */
static int refuse_cycle(const struct plan *plan, const enum order_mark *marks, size_t from,
                        struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(1500);
	size_t at = from, n = 0;

	do
		n++;
	while ((at = next_open(plan, marks, at)) != from);
	for (size_t i = 0; i < n; i++, at = next_open(plan, marks, at)) {
		if (i < CYCLE_ENDS || n - i <= CYCLE_ENDS || n <= 2 * CYCLE_ENDS + 1)
			buf_fmt(&text, "%.100s -> ", plan->nodes[at].stage->address);
		else if (i == CYCLE_ENDS)
			buf_fmt(&text, "… %zu more … -> ", n - 2 * CYCLE_ENDS);
	}
	return err_set(err, ERR_INPUT, "%s: these stages need each other: %s%s",
	               plan->nodes[from].stage->where, buf_text(&text),
	               plan->nodes[from].stage->address);
}

void order_init(struct order *order, struct plan *plan)
{
	*order = (struct order){ .plan = plan };
	order->marks = alloc_array(plan->n_nodes + 1, sizeof(*order->marks));
	order->stack = alloc_array(plan->n_nodes + 1, sizeof(*order->stack));
	order->next = alloc_array(plan->n_nodes + 1, sizeof(*order->next));
	plan->order = arena_array(plan->arena, plan->n_nodes, sizeof(*plan->order));
}

void order_deinit(struct order *order)
{
	free(order->marks);
	free(order->stack);
	free(order->next);
	*order = (struct order){ 0 };
}

/* Depth first without recursion: a chain may be as long as the recipe. */
int order_want(struct order *order, size_t goal, struct err *err)
{
	struct plan *plan = order->plan;
	enum order_mark *marks = order->marks;
	size_t *stack = order->stack, *next = order->next, depth = 0;

	if (marks[goal] == ORDER_DONE)
		return 0;
	stack[depth++] = goal;
	while (depth > 0) {
		size_t at = stack[depth - 1];
		struct plan_node *node = &plan->nodes[at];
		size_t dep;

		if (marks[at] == ORDER_NONE) {
			marks[at] = ORDER_OPEN;
			node->wanted = true;
			next[at] = node->pinned ? node->n_deps : 0;
		}
		if (next[at] == node->n_deps) {
			marks[at] = ORDER_DONE;
			plan->order[plan->n_wanted++] = at;
			depth--;
			continue;
		}
		dep = node->deps[next[at]++];
		if (marks[dep] == ORDER_OPEN)
			return refuse_cycle(plan, marks, dep, err);
		if (marks[dep] == ORDER_NONE)
			stack[depth++] = dep;
	}
	return 0;
}

static size_t live_deps(const struct plan_node *node)
{
	return node->pinned ? 0 : node->n_deps;
}

/* The reverse of deps, over wanted nodes: counted first, then filled. */
void order_tie_users(struct plan *plan)
{
	for (size_t i = 0; i < plan->n_wanted; i++) {
		const struct plan_node *node = &plan->nodes[plan->order[i]];

		for (size_t d = 0; d < live_deps(node); d++)
			plan->nodes[node->deps[d]].n_users++;
	}
	for (size_t i = 0; i < plan->n_wanted; i++) {
		struct plan_node *node = &plan->nodes[plan->order[i]];

		node->users = arena_array(plan->arena, node->n_users, sizeof(size_t));
		node->n_users = 0;
	}
	for (size_t i = 0; i < plan->n_wanted; i++) {
		const struct plan_node *node = &plan->nodes[plan->order[i]];

		for (size_t d = 0; d < live_deps(node); d++) {
			struct plan_node *dep = &plan->nodes[node->deps[d]];

			dep->users[dep->n_users++] = plan->order[i];
		}
	}
}
