/*
 * Open addressing over an insertion-ordered entry array (the shape of Python's dict). FNV-1a is
 * enough: keys come from recipes and trees that the user chose to build.
 */
#include "base/map.h"

#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/array.h"

struct map {
	ARRAY(struct map_entry) entries;
	uint32_t *slots; /* index + 1 into entries; 0 is free */
	size_t n_slots;  /* a power of two */
	bool borrows;    /* keys are not the map's */
};

static uint64_t hash_of(const void *key, size_t n)
{
	const unsigned char *p = key;
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001b3u;
	return h ^ (h >> 29);
}

struct map *map_new(void)
{
	struct map *map = alloc(sizeof(*map));

	map->n_slots = 16;
	map->slots = alloc_array(map->n_slots, sizeof(*map->slots));
	return map;
}

struct map *map_new_borrowing(void)
{
	struct map *map = map_new();

	map->borrows = true;
	return map;
}

struct map *map_free(struct map *map)
{
	if (!map)
		return NULL;
	for (size_t i = 0; !map->borrows && i < map->entries.n; i++)
		free((char *)map->entries.v[i].key);
	array_deinit(&map->entries);
	free(map->slots);
	free(map);
	return NULL;
}

/* The slot that holds the key, or the free one where it would go. */
static uint32_t *slot_of(const struct map *map, const void *key, size_t n)
{
	size_t i = hash_of(key, n) & (map->n_slots - 1);

	for (;; i = (i + 1) & (map->n_slots - 1)) {
		uint32_t at = map->slots[i];
		const struct map_entry *e;

		if (at == 0)
			return &map->slots[i];
		e = &map->entries.v[at - 1];
		if (e->key_n == n && memcmp(e->key, key, n) == 0)
			return &map->slots[i];
	}
}

static void grow(struct map *map)
{
	free(map->slots);
	map->n_slots *= 2;
	map->slots = alloc_array(map->n_slots, sizeof(*map->slots));
	for (size_t i = 0; i < map->entries.n; i++) {
		struct map_entry *e = &map->entries.v[i];
		*slot_of(map, e->key, e->key_n) = (uint32_t)i + 1;
	}
}

void *map_set_n(struct map *map, const void *key, size_t n, void *value)
{
	uint32_t *slot = slot_of(map, key, n);
	struct map_entry *e;
	void *old;

	if (*slot) {
		e = &map->entries.v[*slot - 1];
		old = e->value;
		e->value = value;
		return old;
	}
	e = array_add(&map->entries);
	e->key = map->borrows ? key : str_dup_n(key, n);
	e->key_n = n;
	e->value = value;
	bug_on(map->entries.n >= UINT32_MAX);
	*slot = (uint32_t)map->entries.n;
	if (map->entries.n * 3 > map->n_slots * 2)
		grow(map);
	return NULL;
}

void *map_set(struct map *map, const char *key, void *value)
{
	return map_set_n(map, key, strlen(key), value);
}

void *map_get_n(const struct map *map, const void *key, size_t n)
{
	uint32_t at = *slot_of(map, key, n);

	return at ? map->entries.v[at - 1].value : NULL;
}

void *map_get(const struct map *map, const char *key)
{
	return map_get_n(map, key, strlen(key));
}

bool map_has(const struct map *map, const char *key)
{
	return *slot_of(map, key, strlen(key)) != 0;
}

size_t map_count(const struct map *map)
{
	return map->entries.n;
}

const struct map_entry *map_at(const struct map *map, size_t i)
{
	bug_on(i >= map->entries.n);
	return &map->entries.v[i];
}
