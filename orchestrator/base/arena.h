#ifndef KILN_BASE_ARENA_H
#define KILN_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "base/alloc.h"

/* Memory of one phase (a recipe, a plan): filled, read, freed whole. Never returns NULL. */
struct arena;

struct arena *arena_new(void);
struct arena *arena_free(struct arena *arena);       /* NULL is fine; returns NULL */
void *arena_alloc(struct arena *arena, size_t size); /* zeroed, aligned for any type */
void *arena_array(struct arena *arena, size_t n, size_t size);
void *arena_dup(struct arena *arena, const void *p, size_t size);
char *arena_str(struct arena *arena, const char *s); /* NULL gives NULL */
char *arena_str_n(struct arena *arena, const char *s, size_t n);
char *arena_fmt(struct arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
DEFINE_CLEANUP(struct arena, arena)
#define _cleanup_arena_ _cleanup_(arena_cleanup)

#endif
