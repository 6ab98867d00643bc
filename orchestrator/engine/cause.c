/* From a changed word of an action to the field that has it. */
#include "engine/cause.h"

#include <string.h>

#include "base/str.h"
#include "external/json.h"

enum { PREMISES_MOST = 256 << 20 };

struct difference {
	const char *where;
	const char *before, *after; /* NULL: not there */
};

struct causes {
	struct arena *arena;
	struct difference *v; /* in the arena, as all of it */
	size_t n, cap;
};

static void add_difference(struct causes *d, struct difference found)
{
	if (d->n == d->cap) {
		struct difference *old = d->v;

		d->cap = d->cap ? d->cap * 2 : 16;
		d->v = arena_array(d->arena, d->cap, sizeof(*d->v));
		if (d->n)
			memcpy(d->v, old, d->n * sizeof(*old));
	}
	d->v[d->n++] = found;
}

/* A null reference where the store lacks it. */
static json_t *read_premises(struct blobs *blobs, const struct digest *digest)
{
	_cleanup_buf_ struct buf text = BUF_INIT(PREMISES_MOST);
	struct blob_ref ref = { .digest = *digest };
	struct err ignored = ERR_INIT;
	json_t *json = NULL;

	if (digest_is_none(digest) || !blobs_find(blobs, &ref) ||
	    blobs_read(blobs, &ref, &text, &ignored) != 0 ||
	    json_parse(buf_text(&text), text.n, "a document of the store", &json, &ignored) < 0)
		return NULL;
	return json;
}

/* "toolchain llvm-19: targets.x86_64-unknown-linux-gnu.cc" */
static const char *join(struct arena *arena, const char *where, int depth, const char *key)
{
	return depth == 0 ? arena_str(arena, key) :
	                    arena_fmt(arena, "%s%s%s", where,
	                              depth == 1 ? " " :
	                              depth == 2 ? ": " :
	                                           ".",
	                              key);
}

static const char *scalar(struct arena *arena, const json_t *json)
{
	if (json_is_string(json))
		return json_string_value(json);
	if (json_is_integer(json))
		return arena_fmt(arena, "%lld", (long long)json_integer_value(json));
	if (json_is_boolean(json))
		return json_is_true(json) ? "true" : "false";
	return NULL;
}

static void walk(struct causes *d, const char *where, int depth, const json_t *before,
                 const json_t *after);

static void walk_object(struct causes *d, const char *where, int depth, const json_t *before,
                        const json_t *after)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)before, key, value)
		if (!json_equal(value, json_object_get(after, key)))
			walk(d, join(d->arena, where, depth, key), depth + 1, value,
			     json_object_get(after, key));
	json_object_foreach ((json_t *)after, key, value)
		if (!json_object_get(before, key))
			walk(d, join(d->arena, where, depth, key), depth + 1, NULL, value);
}

static bool holds(const json_t *array, const json_t *value)
{
	for (size_t i = 0; i < json_array_size(array); i++)
		if (json_equal(json_array_get(array, i), (json_t *)value))
			return true;
	return false;
}

/* Elements that only one of them has, one against one as far as both go. */
static void walk_array(struct causes *d, const char *where, int depth, const json_t *before,
                       const json_t *after)
{
	size_t i = 0, j = 0;

	for (;;) {
		while (i < json_array_size(before) && holds(after, json_array_get(before, i)))
			i++;
		while (j < json_array_size(after) && holds(before, json_array_get(after, j)))
			j++;
		if (i >= json_array_size(before) && j >= json_array_size(after))
			return;
		walk(d, where, depth, json_array_get(before, i), json_array_get(after, j));
		i++;
		j++;
	}
}

static void walk(struct causes *d, const char *where, int depth, const json_t *before,
                 const json_t *after)
{
	struct difference found = { where, scalar(d->arena, before), scalar(d->arena, after) };

	if (before && after && json_equal((json_t *)before, (json_t *)after))
		return;
	if (json_is_object(before) || json_is_object(after))
		walk_object(d, where, depth, before, after);
	else if (json_is_array(before) || json_is_array(after))
		walk_array(d, where, depth, before, after);
	else if (found.before || found.after)
		add_difference(d, found);
}

/* Whether `before`, with one text in the place of the other wherever it stands, is `after`. */
static bool turns_into(const char *before, const char *after, const struct difference *by)
{
	_cleanup_buf_ struct buf text = BUF_INIT(1 << 20);
	const char *found;

	if (!by->before[0])
		return false;
	while ((found = strstr(before, by->before))) {
		buf_add(&text, before, (size_t)(found - before));
		buf_add_str(&text, by->after);
		before = found + strlen(by->before);
	}
	buf_add_str(&text, before);
	return !text.overflow && str_eq(buf_text(&text), after);
}

static bool is_cause(const struct difference *d, const struct change *change)
{
	if (change->before && change->after)
		return d->before && d->after && turns_into(change->before, change->after, d);
	if (change->before)
		return d->before && !d->after && str_eq(d->before, change->before);
	return d->after && !d->before && str_eq(d->after, change->after);
}

static size_t weight(const struct difference *d)
{
	return (d->before ? strlen(d->before) : 0) + (d->after ? strlen(d->after) : 0);
}

/* Of several that would do the one that says most: "1" stands in many a word by chance. */
static const char *best_cause(const struct causes *d, const struct change *change)
{
	const struct difference *best = NULL;

	for (size_t i = 0; i < d->n; i++)
		if (is_cause(&d->v[i], change) && (!best || weight(&d->v[i]) > weight(best)))
			best = &d->v[i];
	return best ? best->where : NULL;
}

struct causes *causes_between(struct arena *arena, struct blobs *blobs, const struct digest *before,
                              const struct digest *after)
{
	struct causes *causes = arena_alloc(arena, sizeof(*causes));
	_cleanup_json_ json_t *old = NULL, *new = NULL;

	causes->arena = arena;
	if (digest_eq(before, after))
		return causes;
	old = read_premises(blobs, before);
	new = read_premises(blobs, after);
	if (old && new)
		walk(causes, "", 0, old, new);
	/* They outlive the documents. */
	for (size_t i = 0; i < causes->n; i++) {
		causes->v[i].before = arena_str(arena, causes->v[i].before);
		causes->v[i].after = arena_str(arena, causes->v[i].after);
	}
	return causes;
}

void causes_find(const struct causes *causes, struct changes *changes)
{
	for (size_t i = 0; i < changes->n; i++) {
		struct change *change = &changes->list[i];

		if (change->kind == CHANGE_ARGUMENT || change->kind == CHANGE_VARIABLE ||
		    change->kind == CHANGE_TEXT || change->kind == CHANGE_PLACE)
			change->caused = best_cause(causes, change);
	}
}
