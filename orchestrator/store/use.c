/* Times of last use, gathered while the store is open and written in one transaction at its end. */
#include "store/use.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/fs.h"
#include "host/lock.h"
#include "store/store_impl.h"

static int64_t now_s(void)
{
	return clock_real_us() / 1000000;
}

/* ---- who works here ------------------------------------------------------------------------- */

/*
 * Whoever has the store open holds "use", shared; a collection holds it alone. Kilns that follow each
 * other without a gap would keep it waiting for ever: while it waits it holds "gate", which all go
 * through on their way in, for a turn at a time. So they wait no longer than that when one works for
 * hours.
 */
enum { TURN_US = 5000000, PAUSE_US = 20000000, LOOK_US = 20000, PATIENCE_US = 2 * TURN_US };

/* Locks without waiting, until it works or so much time has passed: LOCK_BUSY. */
static int lock_within(int fd, bool exclusive, int64_t us, const char *what, struct err *err)
{
	int64_t end = clock_mono_us() + us;
	int rc;

	while ((rc = lock_fd(fd, exclusive, false, what, err)) == LOCK_BUSY &&
	       clock_mono_us() < end)
		usleep(LOOK_US);
	return rc;
}

static int open_gate(struct store *store, int *ret_fd, struct err *err)
{
	*ret_fd = openat(store->fd, "locks/gate", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return *ret_fd < 0 ?
	               err_sys(err, ERR_IO, "cannot open the lock %s/locks/gate", store->dir) :
	               0;
}

int use_init(struct store *store, struct err *err)
{
	_cleanup_fd_ int gate = -1;

	/* Who holds it for longer than a turn has been stopped: we do not wait for that. */
	if (open_gate(store, &gate, err) < 0 ||
	    lock_within(gate, false, PATIENCE_US, "the store's gate", err) < 0)
		return -1;
	return lock_file(store->fd, "locks/use", false, true, &store->in_use, err);
}

/* Turns at the gate, with pauses in which others may come in. */
static int wait_alone(struct store *store, struct err *err)
{
	_cleanup_fd_ int gate = -1;

	if (open_gate(store, &gate, err) < 0)
		return -1;
	for (bool turn = true;; turn = !turn) {
		int rc;

		if (turn && lock_fd(gate, true, true, "the store's gate", err) < 0)
			return -1;
		rc = lock_within(store->in_use, true, turn ? TURN_US : PAUSE_US, "the store", err);
		lock_release(gate);
		if (rc != LOCK_BUSY)
			return rc;
	}
}

/* Who is alone must not go to the gate: whoever holds it there waits for us. */
int store_alone(struct store *store, bool wait, struct err *err)
{
	int rc;

	if (store->alone)
		return 0;
	rc = wait ? wait_alone(store, err) : lock_fd(store->in_use, true, false, "the store", err);
	store->alone = rc == 0;
	if (rc == 0)
		store_changes(store);
	return rc == LOCK_BUSY ? STORE_BUSY : rc;
}

/* ---- times of use --------------------------------------------------------------------------- */

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

	if (map_count(store->uses) == 0 || store_begin(store, &ignored) < 0)
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
