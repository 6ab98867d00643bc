/* Whether what the store holds is what it says. */
#include "store/gc.h"

#include "base/array.h"
#include "store/store_impl.h"
#include "store/trees.h"
#include "store/use.h"

struct check {
	struct store *store;
	struct fsck_outcome *outcome;
	ARRAY(struct digest) forgotten;
};

/* A corrupt blob is removed by the looking: it can be written again. */
static int check_blob(void *data, const struct blob_ref *ref, uint64_t disk, struct err *err)
{
	struct check *check = data;
	struct blob_ref there = *ref;

	check->outcome->blobs.n++;
	check->outcome->blobs.bytes += disk;
	if (blobs_verify(check->store->blobs, ref))
		return 0;
	if (blobs_find(check->store->blobs, &there)) {
		err_set(err, ERR_IO, "cannot read the blob %s of the store %s",
		        DIGEST_TEXT(&ref->digest), check->store->dir);
		return err_hint(err, "has this process reached a limit (memory, open files)? Check "
		                     "again later");
	}
	check->outcome->corrupt.n++;
	check->outcome->corrupt.bytes += disk;
	store_changes(check->store);
	return 0;
}

static int find_broken_results(struct check *check, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	ARRAY(struct digest) all = { 0 };
	struct db_stmt *stmt;
	int rc;

	if (db_prepare(check->store->db, "SELECT action FROM results", &stmt, err) < 0)
		return -1;
	while ((rc = db_step(stmt, err)) == DB_ROW)
		if (!store_take_digest(db_bytes(stmt, 0), array_add(&all)))
			all.n--;
	db_stmt_free(stmt);
	for (size_t i = 0; i < all.n && rc == 0; i++) {
		struct result result;

		check->outcome->n_results++;
		rc = store_get_result(check->store, arena, &all.v[i], &result, err);
		if (rc == STORE_MISS) {
			array_push(&check->forgotten, all.v[i]);
			rc = 0;
		}
	}
	array_deinit(&all);
	return rc;
}

static int forget(struct check *check, struct err *err)
{
	struct db_stmt *stmt;
	int rc = 0;

	store_changes(check->store);
	if (db_prepare(check->store->db, "DELETE FROM results WHERE action=?1", &stmt, err) < 0)
		return -1;
	for (size_t i = 0; i < check->forgotten.n && rc == 0; i++) {
		db_bind_bytes(stmt, 1, &check->forgotten.v[i], sizeof(struct digest));
		rc = db_run(stmt, err);
	}
	db_stmt_free(stmt);
	return rc;
}

static int forget_in_database(struct check *check, struct err *err)
{
	check->outcome->n_forgotten = check->forgotten.n;
	if (db_begin(check->store->db, err) < 0)
		return -1;
	return store_end(check->store, forget(check, err), err);
}

static int check_database(struct store *store, struct err *err)
{
	struct db_stmt *stmt;
	int rc;

	if (db_prepare(store->db, "PRAGMA integrity_check(1)", &stmt, err) < 0)
		return -1;
	rc = db_step(stmt, err);
	if (rc == DB_ROW && !str_eq(db_text(stmt, 0), "ok")) {
		rc = err_set(err, ERR_IO, "the database of the store %s is damaged: %s", store->dir,
		             db_text(stmt, 0));
		err_hint(err, "remove db.sqlite in it: what was built is built again, sources and "
		              "packages stay");
	}
	db_stmt_free(stmt);
	return rc < 0 ? -1 : 0;
}

int store_fsck(struct store *store, struct fsck_outcome *ret, struct err *err)
{
	struct check check = { .store = store, .outcome = ret };
	int rc;

	*ret = (struct fsck_outcome){ 0 };
	if (store_alone(store, true, err) < 0 || check_database(store, err) < 0)
		return -1;
	/* Copies of blobs, which nobody reads again: they are made anew from what is checked here. */
	rc = trees_remove(store->fd, err);
	if (rc == 0)
		rc = blobs_walk(store->blobs, check_blob, &check, err);
	if (rc == 0)
		rc = find_broken_results(&check, err);
	if (rc == 0)
		rc = forget_in_database(&check, err);
	use_drop(store);
	array_deinit(&check.forgotten);
	return rc;
}
