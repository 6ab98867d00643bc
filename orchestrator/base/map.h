#ifndef KILN_BASE_MAP_H
#define KILN_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A map from byte strings to pointers, kept in insertion order: iterating gives the same order on
 * every run. Keys are copied, but for those of a map that borrows them; values belong to the caller.
 */
struct map;

struct map_entry {
	const char *key; /* NUL-ended copy, owned by the map; or borrowed, as it was given */
	size_t key_n;
	void *value;
};

struct map *map_new(void);
/* Of many keys that stand elsewhere, and stay there as long as the map. */
struct map *map_new_borrowing(void);
struct map *map_free(struct map *map); /* values are not freed; returns NULL */
/* Sets a key. Returns the value it had before, or NULL. */
void *map_set(struct map *map, const char *key, void *value);
void *map_set_n(struct map *map, const void *key, size_t n, void *value);
/* The value, or NULL where the key is not there. */
void *map_get(const struct map *map, const char *key);
void *map_get_n(const struct map *map, const void *key, size_t n);
bool map_has(const struct map *map, const char *key);
size_t map_count(const struct map *map);
/* The i-th entry in insertion order. */
const struct map_entry *map_at(const struct map *map, size_t i);

#endif
