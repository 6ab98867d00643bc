/* Times of last use, gathered while the store is open and written in one transaction at its end. */
#include "store/use.h"

#include <string.h>

#include "host/clock.h"
#include "host/fs.h"
#include "host/lock.h"
#include "store/store_impl.h"

static int64_t now_s(void)
{
	return clock_real_us() / 1000000;
}

int use_init(struct store *store, struct err *err)
{
	return lock_file(store->fd, "locks/use", false, true, &store->in_use, err);
}

int store_alone(struct store *store, bool wait, struct err *err)
{
	int rc = lock_fd(store->in_use, true, wait, "the store", err);

	if (rc == 0)
		store_changes(store);
	return rc == LOCK_BUSY ? STORE_BUSY : rc;
}

void use_note(struct store *store, const void *what, size_t n, int64_t last)
{
	if (now_s() - last >= USE_EXACT_TO)
		map_set_n(store->uses, what, n, store);
}

void store_note_use(struct store *store, const char *what)
{
	struct err ignored = ERR_INIT;
	struct db_stmt *stmt;
	int64_t last = 0;

	if (store_query(store, QUERY_GET_USE, &stmt, &ignored) < 0)
		return;
	db_bind_bytes(stmt, 1, what, strlen(what));
	if (db_step(stmt, &ignored) == DB_ROW) {
		last = db_int(stmt, 0);
		db_reset(stmt);
	}
	use_note(store, what, strlen(what), last);
}

void use_drop(struct store *store)
{
	map_free(store->uses);
	store->uses = map_new();
}

int use_put(struct store *store, const void *what, size_t n, struct err *err)
{
	struct db_stmt *stmt;

	if (store_query(store, QUERY_PUT_USE, &stmt, err) < 0)
		return -1;
	db_bind_bytes(stmt, 1, what, n);
	db_bind_int(stmt, 2, now_s());
	return db_run(stmt, err);
}

/* In one transaction. What cannot be written now is noted again at the next use. */
static void write_uses(struct store *store)
{
	struct err ignored = ERR_INIT;

	if (map_count(store->uses) == 0 || db_begin(store->db, &ignored) < 0)
		return;
	for (size_t i = 0; i < map_count(store->uses); i++) {
		const struct map_entry *entry = map_at(store->uses, i);

		if (use_put(store, entry->key, entry->key_n, &ignored) < 0) {
			db_rollback(store->db);
			return;
		}
	}
	if (db_commit(store->db, &ignored) < 0)
		db_rollback(store->db);
}

void use_deinit(struct store *store)
{
	if (store->db && store->in_use >= 0)
		write_uses(store);
	store->in_use = fs_close(store->in_use);
}
