#ifndef KILN_PLAN_ORDER_H
#define KILN_PLAN_ORDER_H

#include "plan/plan.h"

/* Fills plan->order: the nodes that goals want. */
enum order_mark { ORDER_NONE, ORDER_OPEN, ORDER_DONE };

struct order {
	struct plan *plan;
	enum order_mark *marks;
	size_t *stack,
		*next; /* nodes on the way down, and the dep that each of them goes to next */
};

void order_init(struct order *order, struct plan *plan);
void order_deinit(struct order *order);
/* Adds a node with all that it needs. ERR_INPUT: they need each other. */
int order_want(struct order *order, size_t goal, struct err *err);
/* Once all is wanted: the nodes that take what a node makes. */
void order_tie_users(struct plan *plan);

#endif
