/* A list of blocks, each twice as large as the last up to 1 MiB; large requests get their own. */
#include "base/arena.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/alloc.h"

/* Texts need no alignment: they share pieces of TEXT_PIECE, from which long ones stay out. */
enum { BLOCK_FIRST = 4096, BLOCK_MOST = 1 << 20, TEXT_PIECE = 512, TEXT_LONG = 128 };

struct block {
	struct block *next;
	size_t used, size;
	bool mapped; /* not of the heap */
	alignas(max_align_t) unsigned char bytes[];
};

struct arena {
	struct block *head;
	size_t next_size;
	char *text; /* the rest of a piece */
	size_t text_left;
};

struct arena *arena_new(void)
{
	struct arena *arena = alloc(sizeof(*arena));

	arena->next_size = BLOCK_FIRST;
	return arena;
}

struct arena *arena_free(struct arena *arena)
{
	struct block *b, *next;

	if (!arena)
		return NULL;
	for (b = arena->head; b; b = next) {
		next = b->next;
		if (b->mapped)
			munmap(b, sizeof(*b) + b->size);
		else
			free(b);
	}
	free(arena);
	return NULL;
}

/* Large blocks go back to the system when they are freed: the heap would keep them, and what one phase
 * took would lie beside what the next one takes. */
static struct block *block_new(size_t size)
{
	const int prot = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS;
	struct block *b = MAP_FAILED;

	if (size >= BLOCK_MOST)
		b = mmap(NULL, sizeof(*b) + size, prot, flags, -1, 0);
	if (b == MAP_FAILED)
		return alloc(sizeof(*b) + size);
	b->mapped = true;
	return b;
}

static struct block *block_add(struct arena *arena, size_t need)
{
	size_t size = arena->next_size;
	struct block *b;

	if (need > size)
		size = need;
	else if (arena->next_size < BLOCK_MOST)
		arena->next_size *= 2;
	bug_on(size > SIZE_MAX / 2);
	b = block_new(size);
	b->size = size;
	b->next = arena->head;
	arena->head = b;
	return b;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	const size_t align = alignof(max_align_t);
	struct block *b = arena->head;
	void *p;

	size = (size + align - 1) & ~(align - 1);
	if (!b || b->size - b->used < size)
		b = block_add(arena, size);
	p = b->bytes + b->used;
	b->used += size;
	return p;
}

void *arena_array(struct arena *arena, size_t n, size_t size)
{
	size_t total;

	bug_on(__builtin_mul_overflow(n, size, &total));
	return arena_alloc(arena, total);
}

void *arena_dup(struct arena *arena, const void *p, size_t size)
{
	void *copy = arena_alloc(arena, size);

	if (size)
		memcpy(copy, p, size);
	return copy;
}

static char *text_alloc(struct arena *arena, size_t size)
{
	char *text;

	if (size > TEXT_LONG)
		return arena_alloc(arena, size);
	if (arena->text_left < size) {
		arena->text = arena_alloc(arena, TEXT_PIECE);
		arena->text_left = TEXT_PIECE;
	}
	text = arena->text;
	arena->text += size;
	arena->text_left -= size;
	return text;
}

char *arena_str_n(struct arena *arena, const char *s, size_t n)
{
	char *copy = text_alloc(arena, n + 1);

	if (n)
		memcpy(copy, s, n);
	return copy;
}

char *arena_str(struct arena *arena, const char *s)
{
	return s ? arena_str_n(arena, s, strlen(s)) : NULL;
}

char *arena_fmt(struct arena *arena, const char *fmt, ...)
{
	va_list ap, again;
	int n;
	char *out;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	bug_on(n < 0);
	out = arena_alloc(arena, (size_t)n + 1);
	vsnprintf(out, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return out;
}
