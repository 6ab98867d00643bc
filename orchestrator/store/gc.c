/*
 * Collection by counting: every item (a result, a fact, an image) holds the blobs that it names; an
 * item that goes lets go of its blobs, and what nobody holds is removed. The database forgets first:
 * whoever is stopped in between leaves blobs that nothing names, and the next collection finds them.
 */
#include "store/gc.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "host/clock.h"
#include "host/extent.h"
#include "host/fs.h"
#include "store/gc_impl.h"
#include "store/trees.h"
#include "store/use.h"

/* ---- choosing ------------------------------------------------------------------------------- */

static int cmp_used(const void *a, const void *b)
{
	const struct item *x = *(const struct item *const *)a, *y = *(const struct item *const *)b;

	if (x->used != y->used)
		return x->used < y->used ? -1 : 1;
	return x < y ? -1 : x > y;
}

static bool is_too_old(const struct collector *c, const struct item *item)
{
	return item->used <= c->request->used_before - USE_EXACT_TO;
}

static bool is_over_budget(const struct collector *c)
{
	return c->request->budget >= 0 && c->bytes > (uint64_t)c->request->budget;
}

static int let_go(struct collector *c, struct item *item, struct err *err)
{
	if (gc_let_go(c, item, err) < 0)
		return -1;
	item->goes = true;
	switch (item->kind) {
	case ITEM_RESULT:
		map_set_n(c->going, &item->action, sizeof(item->action), item);
		c->outcome->n_results_gone++;
		break;
	case ITEM_FACT:
		c->outcome->n_facts_gone++;
		break;
	case ITEM_IMAGE:
		item->image->goes = true;
		c->outcome->images_gone.n++;
		c->outcome->images_gone.bytes += item->image->bytes;
		break;
	}
	return 0;
}

/* The longest unused first, while they are too old or too much is there. */
static int choose(struct collector *c, struct err *err)
{
	struct item **order = alloc_array(c->items.n + 1, sizeof(*order));
	int rc = 0;

	for (size_t i = 0; i < c->items.n; i++)
		order[i] = &c->items.v[i];
	qsort(order, c->items.n, sizeof(struct item *), cmp_used);
	for (size_t i = 0; i < c->items.n && rc == 0; i++)
		if (!order[i]->needed && (is_too_old(c, order[i]) || is_over_budget(c)))
			rc = let_go(c, order[i], err);
	free(order);
	return rc;
}

/* ---- carrying out --------------------------------------------------------------------------- */

static int run_for_action(struct collector *c, const char *sql, const struct digest *action,
                          struct err *err)
{
	struct db_stmt *stmt;
	int rc;

	if (db_prepare(c->store->db, sql, &stmt, err) < 0)
		return -1;
	db_bind_bytes(stmt, 1, action, sizeof(*action));
	rc = db_run(stmt, err);
	db_stmt_free(stmt);
	return rc;
}

static int forget_result(struct collector *c, const struct digest *action, struct err *err)
{
	if (run_for_action(c, "DELETE FROM results WHERE action=?1", action, err) < 0 ||
	    run_for_action(c, "DELETE FROM uses WHERE what=?1", action, err) < 0)
		return -1;
	return 0;
}

static int forget_fact(struct collector *c, const struct item *item, struct err *err)
{
	struct db_stmt *stmt;
	int rc;

	if (db_prepare(c->store->db, "DELETE FROM facts WHERE kind=?1 AND name=?2", &stmt, err) < 0)
		return -1;
	db_bind_text(stmt, 1, item->key);
	db_bind_text(stmt, 2, item->name);
	rc = db_run(stmt, err);
	db_stmt_free(stmt);
	return rc;
}

/* Of a file whose content is not there. */
struct stale {
	int64_t dev, ino;
};

static bool stays(const struct collector *c, struct str digest)
{
	const struct held *held = map_get_n(c->blobs, digest.p, digest.n);

	return held && held->holders[0] + held->holders[1] > 0;
}

static int forget_stamp(struct db_stmt *stmt, const struct stale *stale, struct err *err)
{
	db_bind_int(stmt, 1, stale->dev);
	db_bind_int(stmt, 2, stale->ino);
	return db_run(stmt, err);
}

static int forget_stamps(struct collector *c, struct err *err)
{
	ARRAY(struct stale) list = { 0 };
	struct db_stmt *rows, *gone = NULL;
	int rc;

	if (db_prepare(c->store->db, "SELECT dev, ino, digest FROM stamps", &rows, err) < 0)
		return -1;
	while ((rc = db_step(rows, err)) == DB_ROW)
		if (!stays(c, db_bytes(rows, 2)))
			array_push(&list, ((struct stale){ db_int(rows, 0), db_int(rows, 1) }));
	db_stmt_free(rows);
	if (rc >= 0)
		rc = db_prepare(c->store->db, "DELETE FROM stamps WHERE dev=?1 AND ino=?2", &gone,
		                err);
	for (size_t i = 0; rc >= 0 && i < list.n; i++)
		rc = forget_stamp(gone, &list.v[i], err);
	db_stmt_free(gone);
	array_deinit(&list);
	return rc < 0 ? -1 : 0;
}

/* What hangs on results: all that no row needs any more. */
static int forget_rest(struct collector *c, struct err *err)
{
	return db_exec(c->store->db,
	               "DELETE FROM origins WHERE action NOT IN (SELECT action FROM results)"
	               " AND action NOT IN (SELECT action FROM failures);"
	               "DELETE FROM before WHERE action NOT IN (SELECT action FROM results);",
	               err);
}

/* From now on it grows old. */
static int note_first(struct collector *c, const struct item *item, struct err *err)
{
	_cleanup_free_ char *what = gc_use_name(item);

	return use_put(c->store, what, strlen(what), err);
}

static int forget(struct collector *c, struct err *err)
{
	for (size_t i = 0; i < c->items.n; i++) {
		const struct item *item = &c->items.v[i];
		int rc = 0;

		if (item->goes && item->kind == ITEM_RESULT)
			rc = forget_result(c, &item->action, err);
		else if (item->goes && item->kind == ITEM_FACT)
			rc = forget_fact(c, item, err);
		else if (!item->goes && item->first)
			rc = note_first(c, item, err);
		if (rc < 0)
			return -1;
	}
	return forget_stamps(c, err) < 0 ? -1 : forget_rest(c, err);
}

static int forget_in_database(struct collector *c, struct err *err)
{
	if (db_begin(c->store->db, err) < 0)
		return -1;
	return store_end(c->store, forget(c, err), err);
}

static int remove_blobs(struct collector *c, struct err *err)
{
	for (size_t i = 0; i < map_count(c->blobs); i++) {
		const struct map_entry *entry = map_at(c->blobs, i);
		const struct held *held = entry->value;

		if (held->holders[0] + held->holders[1])
			continue;
		c->outcome->blobs_gone.n++;
		c->outcome->blobs_gone.bytes += held->disk;
		if (!c->request->dry &&
		    blobs_remove(c->store->blobs, (const struct digest *)entry->key, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- all of it ------------------------------------------------------------------------------ */

/* Trees that are laid out for stages are made anew. Folders that failures left, and those of builds by
 * increments: any limit takes them. Without them there is less to see, and more to build. */
static int drop_folders(struct collector *c, struct err *err)
{
	if (trees_remove(c->store->fd, err) < 0)
		return -1;
	if (c->request->budget < 0 && !c->request->used_before)
		return 0;
	return fs_remove_tree(c->store->fd, "failed", err) < 0 ?
	               -1 :
	               fs_remove_tree(c->store->fd, "dev", err);
}

static void add_folder(struct gc_amount *amount, int parts, const char *name)
{
	_cleanup_fd_ int fd = -1;
	struct err ignored = ERR_INIT;
	struct extent extent;

	if (fs_open_dir(parts, name, &fd, &ignored) != 0)
		return;
	extent_of(fd, &extent);
	amount->n++;
	amount->bytes += extent.bytes;
}

void store_count_folders(struct store *store, struct gc_amount *ret)
{
	static const char *const parts[] = { "trees", "failed", "dev" };

	*ret = (struct gc_amount){ 0 };
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		_cleanup_fd_ int fd = -1;
		struct fs_names list = { 0 };
		struct err ignored = ERR_INIT;

		if (fs_open_dir(store->fd, parts[i], &fd, &ignored) == 0 &&
		    fs_list(fd, ".", &list, &ignored) == 0)
			for (size_t k = 0; k < list.names.n; k++)
				add_folder(ret, fd, list.names.v[k]);
		fs_names_deinit(&list);
	}
}

static int collect(struct collector *c, struct err *err)
{
	if (gc_list(c, err) < 0 || gc_hold_all(c, err) < 0 || choose(c, err) < 0 ||
	    gc_hold_others(c, err) < 0)
		return -1;
	if (!c->request->dry && (forget_in_database(c, err) < 0 || drop_folders(c, err) < 0))
		return -1;
	return remove_blobs(c, err);
}

static void collector_deinit(struct collector *c)
{
	for (size_t i = 0; i < map_count(c->blobs); i++)
		free(map_at(c->blobs, i)->value);
	map_free(c->blobs);
	map_free(c->going);
	for (size_t i = 0; i < c->items.n; i++) {
		free(c->items.v[i].key);
		free(c->items.v[i].name);
	}
	array_deinit(&c->items);
}

int store_gc(struct store *store, const struct gc_request *request, struct gc_outcome *ret,
             struct err *err)
{
	struct collector c = {
		.store = store,
		.request = request,
		.outcome = ret,
		.blobs = map_new(),
		.going = map_new(),
		.now = clock_real_us() / 1000000,
	};
	int rc;

	*ret = (struct gc_outcome){ 0 };
	rc = request->dry ? 0 : store_alone(store, true, err);
	if (rc == 0)
		rc = collect(&c, err);
	use_drop(store);
	collector_deinit(&c);
	return rc;
}
