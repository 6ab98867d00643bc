#ifndef KILN_BASE_ARRAY_H
#define KILN_BASE_ARRAY_H

#include <stddef.h>
#include <string.h>

#include "base/alloc.h"

/*
 * A growing array as three fields of a struct: `ARRAY(struct thing) things;` gives things.v (the
 * elements), things.n (how many) and things.cap. Zero-initialised is empty. One owner.
 */
#define ARRAY(type)                                                                                \
	struct {                                                                                   \
		type *v;                                                                           \
		size_t n, cap;                                                                     \
	}

/* Adds a zeroed element and returns its address; addresses move when the array grows. */
#define array_add(a)                                                                               \
	({                                                                                         \
		if ((a)->n == (a)->cap) {                                                          \
			(a)->cap = (a)->cap ? (a)->cap * 2 : 8;                                    \
			(a)->v = alloc_grow((a)->v, (a)->cap, sizeof(*(a)->v));                    \
		}                                                                                  \
		memset(&(a)->v[(a)->n], 0, sizeof(*(a)->v));                                       \
		&(a)->v[(a)->n++];                                                                 \
	})

#define array_push(a, value) (*array_add(a) = (value))

#define array_deinit(a)                                                                            \
	do {                                                                                       \
		free((a)->v);                                                                      \
		(a)->v = NULL;                                                                     \
		(a)->n = (a)->cap = 0;                                                             \
	} while (0)

#define array_sort(a, cmp)                                                                         \
	do {                                                                                       \
		if ((a)->n > 1)                                                                    \
			qsort((a)->v, (a)->n, sizeof(*(a)->v), (cmp));                             \
	} while (0)

#endif
