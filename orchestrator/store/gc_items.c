/* What a collection looks at: items, and the blobs that they hold. */
#include "store/gc_impl.h"

#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "store/closure.h"

/* ---- sets of digests ------------------------------------------------------------------------ */

static bool add_digest(void *data, const struct digest *digest, enum closure_how how)
{
	struct map *set = data;

	(void)how;
	map_set_n(set, digest, sizeof(*digest), set);
	return false;
}

void gc_need(struct map *needed, const char *text, size_t n)
{
	struct closure c = { .tell = add_digest, .data = needed };

	closure_of_text(&c, text, n);
}

static bool is_needed(const struct collector *c, const struct digest *digest)
{
	return c->request->needed && map_get_n(c->request->needed, digest, sizeof(*digest)) != NULL;
}

struct search {
	const struct collector *collector;
	bool found;
};

static bool look_for_needed(void *data, const struct digest *digest, enum closure_how how)
{
	struct search *search = data;

	(void)how;
	search->found |= is_needed(search->collector, digest);
	return false;
}

/* Whether a text names something that must stay. */
static bool names_needed(const struct collector *c, const char *text)
{
	struct search search = { c, false };
	struct closure closure = { .tell = look_for_needed, .data = &search };

	closure_of_text(&closure, text, strlen(text));
	return search.found;
}

/* ---- blobs ---------------------------------------------------------------------------------- */

static int add_blob(void *data, const struct blob_ref *ref, uint64_t disk, struct err *err)
{
	struct collector *c = data;
	struct held *held = alloc(sizeof(*held));

	(void)err;
	held->disk = disk;
	map_set_n(c->blobs, &ref->digest, sizeof(ref->digest), held);
	c->outcome->blobs.n++;
	c->outcome->blobs.bytes += disk;
	return 0;
}

/* Takes hold of a blob, or lets go of it. True where what is below it is held, or let go, with it. */
static bool hold(void *data, const struct digest *digest, enum closure_how how)
{
	struct collector *c = data;
	struct held *held = map_get_n(c->blobs, digest, sizeof(*digest));
	const bool was = held && held->holders[0] + held->holders[1] > 0;
	bool is;

	if (!held)
		return false;
	if (c->letting_go)
		held->holders[how]--;
	else
		held->holders[how]++;
	is = held->holders[0] + held->holders[1] > 0;
	if (is && !was)
		c->bytes += held->disk;
	if (was && !is)
		c->bytes -= held->disk;
	return held->holders[how] == (c->letting_go ? 0 : 1);
}

/* ---- items ---------------------------------------------------------------------------------- */

static const char *result_query = "SELECT action, body FROM results WHERE action=?1";
static const char *fact_query = "SELECT body FROM facts WHERE kind=?1 AND name=?2";

static int walk_result(struct collector *c, struct closure *closure, const struct item *item,
                       struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct result result;
	struct err corrupt = ERR_INIT;
	struct db_stmt *stmt;
	int rc;

	if (db_prepare(c->store->db, result_query, &stmt, err) < 0)
		return -1;
	db_bind_bytes(stmt, 1, &item->action, sizeof(item->action));
	rc = db_step(stmt, err);
	if (rc == DB_ROW && result_decode(arena, db_bytes(stmt, 1), &result, &corrupt) == 0)
		closure_of_result(closure, &item->action, &result);
	db_stmt_free(stmt);
	return rc < 0 ? -1 : 0;
}

static bool hold_tree(void *data, const struct digest *digest, enum closure_how how)
{
	(void)how;
	closure_of_digest(data, digest);
	return false;
}

/* What a text names, with all below it. */
static void walk_text(struct closure *closure, const char *text)
{
	struct closure names = { .tell = hold_tree, .data = closure };

	closure_of_text(&names, text, strlen(text));
}

static int walk_fact(struct collector *c, struct closure *closure, const struct item *item,
                     struct err *err)
{
	struct db_stmt *stmt;
	int rc;

	if (db_prepare(c->store->db, fact_query, &stmt, err) < 0)
		return -1;
	db_bind_text(stmt, 1, item->key);
	db_bind_text(stmt, 2, item->name);
	rc = db_step(stmt, err);
	if (rc == DB_ROW)
		walk_text(closure, db_text(stmt, 0));
	db_stmt_free(stmt);
	return rc < 0 ? -1 : 0;
}

/* Takes hold of what an item names, or lets go of it. */
static int walk_item(struct collector *c, const struct item *item, bool letting_go, struct err *err)
{
	struct closure closure = { c->store->blobs, hold, c };
	int rc = 0;

	c->letting_go = letting_go;
	switch (item->kind) {
	case ITEM_RESULT:
		rc = walk_result(c, &closure, item, err);
		break;
	case ITEM_FACT:
		rc = walk_fact(c, &closure, item, err);
		break;
	case ITEM_IMAGE:
		closure_of_text(&closure, item->image->about, strlen(item->image->about));
		c->bytes += letting_go ? -item->image->bytes : item->image->bytes;
		break;
	}
	return rc;
}

char *gc_use_name(const struct item *item)
{
	return item->kind == ITEM_IMAGE ? str_fmt("image %s", DIGEST_TEXT(&item->image->tree)) :
	                                  str_fmt("fact %s %s", item->key, item->name);
}

static void find_use(struct collector *c, struct item *item)
{
	_cleanup_free_ char *what = gc_use_name(item);
	struct err ignored = ERR_INIT;
	struct db_stmt *stmt;

	item->first = true;
	item->used = c->now;
	if (store_query(c->store, QUERY_GET_USE, &stmt, &ignored) < 0)
		return;
	db_bind_bytes(stmt, 1, what, strlen(what));
	if (db_step(stmt, &ignored) == DB_ROW) {
		item->used = db_int(stmt, 0);
		item->first = false;
		db_reset(stmt);
	}
}

static int list_results(struct collector *c, struct err *err)
{
	struct db_stmt *stmt;
	int rc;

	if (db_prepare(c->store->db,
	               "SELECT action, (SELECT at FROM uses WHERE what=action) FROM results", &stmt,
	               err) < 0)
		return -1;
	while ((rc = db_step(stmt, err)) == DB_ROW) {
		struct item *item = array_add(&c->items);

		item->kind = ITEM_RESULT;
		item->used = db_int(stmt, 1);
		if (!store_take_digest(db_bytes(stmt, 0), &item->action))
			c->items.n--;
		else
			item->needed = is_needed(c, &item->action);
	}
	db_stmt_free(stmt);
	c->outcome->n_results = c->items.n;
	return rc;
}

static int list_facts(struct collector *c, struct err *err)
{
	struct db_stmt *stmt;
	int rc;

	if (db_prepare(c->store->db, "SELECT kind, name, body FROM facts", &stmt, err) < 0)
		return -1;
	while ((rc = db_step(stmt, err)) == DB_ROW) {
		struct item *item = array_add(&c->items);

		item->kind = ITEM_FACT;
		item->key = str_dup(db_text(stmt, 0));
		item->name = str_dup(db_text(stmt, 1));
		item->needed = names_needed(c, db_text(stmt, 2)) || str_eq(item->key, "keep");
		c->outcome->n_facts++;
	}
	db_stmt_free(stmt);
	for (size_t i = 0; i < c->items.n; i++)
		if (c->items.v[i].kind == ITEM_FACT)
			find_use(c, &c->items.v[i]);
	return rc;
}

static void list_images(struct collector *c)
{
	for (size_t i = 0; i < c->request->n_images; i++) {
		struct gc_image *image = &c->request->images[i];
		struct item *item = array_add(&c->items);

		item->kind = ITEM_IMAGE;
		item->image = image;
		item->needed = is_needed(c, &image->tree);
		find_use(c, item);
		image->goes = false;
		c->outcome->images.n++;
		c->outcome->images.bytes += image->bytes;
	}
}

/* What locks and releases name of blobs themselves: profiles, packages. */
static void hold_needed(struct collector *c)
{
	struct closure closure = { c->store->blobs, hold, c };

	c->letting_go = false;
	for (size_t i = 0; c->request->needed && i < map_count(c->request->needed); i++)
		closure_of_digest(&closure,
		                  (const struct digest *)map_at(c->request->needed, i)->key);
}

/* Needed ones first: what is held then is what cannot go. */
int gc_hold_all(struct collector *c, struct err *err)
{
	hold_needed(c);
	for (int needed = 1; needed >= 0; needed--) {
		for (size_t i = 0; i < c->items.n; i++)
			if (c->items.v[i].needed == needed &&
			    walk_item(c, &c->items.v[i], false, err) < 0)
				return -1;
		if (needed)
			c->outcome->needed = c->bytes;
	}
	return 0;
}

int gc_let_go(struct collector *c, const struct item *item, struct err *err)
{
	return walk_item(c, item, true, err);
}

int gc_list(struct collector *c, struct err *err)
{
	if (blobs_walk(c->store->blobs, add_blob, c, err) < 0 || list_results(c, err) < 0 ||
	    list_facts(c, err) < 0)
		return -1;
	list_images(c);
	return 0;
}

/* ---- what has no time of its own ------------------------------------------------------------ */

static void hold_row(struct collector *c, struct closure *closure, struct db_stmt *stmt,
                     bool is_failure)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct str body = db_bytes(stmt, 1);
	struct err corrupt = ERR_INIT;
	struct result result;
	struct digest action;

	if (!store_take_digest(db_bytes(stmt, 0), &action))
		return;
	if (is_failure) {
		if (result_decode(arena, body, &result, &corrupt) == 0)
			closure_of_result(closure, &action, &result);
	} else if (!map_get_n(c->going, &action, sizeof(action))) {
		closure_of_text(closure, body.p, body.n);
	}
}

static int hold_rows(struct collector *c, const char *query, bool are_failures, struct err *err)
{
	struct closure closure = { c->store->blobs, hold, c };
	struct db_stmt *stmt;
	int rc;

	c->letting_go = false;
	if (db_prepare(c->store->db, query, &stmt, err) < 0)
		return -1;
	while ((rc = db_step(stmt, err)) == DB_ROW)
		hold_row(c, &closure, stmt, are_failures);
	db_stmt_free(stmt);
	return rc;
}

int gc_hold_others(struct collector *c, struct err *err)
{
	if (hold_rows(c, "SELECT action, body FROM failures", true, err) < 0)
		return -1;
	return hold_rows(c,
	                 "SELECT action, body FROM origins WHERE action IN"
	                 " (SELECT action FROM results)",
	                 false, err);
}
