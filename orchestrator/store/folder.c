/*
 * The stat cache around ingesting. Stamps are looked up in one transaction as long as all are found,
 * new ones are gathered and written in one at the end: hashing a large folder must not hold the
 * database.
 */
#include "store/folder.h"

#include <errno.h>
#include <fcntl.h>

#include "base/array.h"
#include "base/path.h"
#include "host/fs.h"
#include "host/stamps.h"
#include "snapshot/record.h"
#include "store/ingest.h"
#include "store/store_impl.h"

struct noted {
	struct stamps stamps;
	struct digest digest;
};

struct stat_cache {
	struct ingest_stamps base;
	struct store *store;
	const char *dir; /* what is taken, absolute, where it is recorded */
	ARRAY(struct noted) noted;
};

static bool row_matches(struct db_stmt *row, const struct stamps *now)
{
	return db_int(row, 0) == (int64_t)now->size && db_int(row, 1) == now->mtime_ns &&
	       db_int(row, 2) == now->ctime_ns && db_bytes(row, 3).n == sizeof(struct digest);
}

static bool find_row(struct stat_cache *cache, const struct stat *st, struct blob_ref *ret)
{
	struct blob_ref ref = { .size = (uint64_t)st->st_size };
	const struct stamps now = stamps_of(st);
	struct err ignored = ERR_INIT;
	struct db_stmt *row;
	bool good = false;

	if (store_look_begin(cache->store, &ignored) < 0 ||
	    store_query(cache->store, QUERY_GET_STAMP, &row, &ignored) < 0)
		return false;
	db_bind_int(row, 1, (int64_t)now.dev);
	db_bind_int(row, 2, (int64_t)now.ino);
	if (db_step(row, &ignored) != DB_ROW)
		return false;
	if (row_matches(row, &now)) {
		memcpy(ref.digest.bytes, db_bytes(row, 3).p, sizeof(ref.digest.bytes));
		good = cache->store->trusting || blobs_has(cache->store->blobs, &ref);
	}
	db_reset(row);
	if (good)
		*ret = ref;
	return good;
}

/* What is not found will be hashed: that may take its time. */
static bool find(struct ingest_stamps *stamps, const struct stat *st, struct blob_ref *ret)
{
	struct stat_cache *cache = (struct stat_cache *)stamps;
	bool found = find_row(cache, st, ret);

	if (!found)
		store_look_end(cache->store);
	return found;
}

static void note(struct ingest_stamps *stamps, const struct stat *st, int64_t began_us,
                 const struct blob_ref *ref)
{
	struct stat_cache *cache = (struct stat_cache *)stamps;
	const struct stamps stamps_then = stamps_of(st);

	if (stamps_settled(&stamps_then, began_us))
		array_push(&cache->noted, ((struct noted){ stamps_then, ref->digest }));
}

static void record_folder(struct ingest_stamps *stamps, const char *path, const struct stat *st)
{
	struct stat_cache *cache = (struct stat_cache *)stamps;
	_cleanup_free_ char *full = path[0] ? path_join(cache->dir, path) : str_dup(cache->dir);

	snapshot_record_folder(cache->store->record, full, st);
}

static void record_entry(struct ingest_stamps *stamps, const char *name, const struct stat *st)
{
	snapshot_record_entry(((struct stat_cache *)stamps)->store->record, name, st);
}

static int write_rows(struct stat_cache *cache, struct err *err)
{
	struct db_stmt *stmt;

	if (store_query(cache->store, QUERY_PUT_STAMP, &stmt, err) < 0)
		return -1;
	for (size_t i = 0; i < cache->noted.n; i++) {
		const struct noted *n = &cache->noted.v[i];

		db_bind_int(stmt, 1, (int64_t)n->stamps.dev);
		db_bind_int(stmt, 2, (int64_t)n->stamps.ino);
		db_bind_int(stmt, 3, (int64_t)n->stamps.size);
		db_bind_int(stmt, 4, n->stamps.mtime_ns);
		db_bind_int(stmt, 5, n->stamps.ctime_ns);
		db_bind_bytes(stmt, 6, &n->digest, sizeof(n->digest));
		if (db_run(stmt, err) < 0)
			return -1;
	}
	return 0;
}

/* Losing stamps costs hashing, nothing else: failures are not reported. */
static void write_noted(struct stat_cache *cache)
{
	struct db *db = cache->store->db;
	struct err ignored = ERR_INIT;

	if (cache->noted.n == 0 || store_begin(cache->store, &ignored) < 0)
		return;
	if (write_rows(cache, &ignored) < 0 || db_commit(db, &ignored) < 0)
		db_rollback(db);
}

int ingest_file(struct store *store, struct arena *arena, int dirfd, const char *dir,
                const char *path, const struct ingest_options *options, struct tree_node *ret,
                struct err *err)
{
	_cleanup_free_ char *full = path_join(dir, path);
	struct stat st;

	if (store->record && dir[0] == '/' && lstat(full, &st) == 0)
		snapshot_record_file(store->record, full, &st);
	else if (store->record)
		snapshot_record_give_up(store->record);
	return ingest_node(store->blobs, arena, dirfd, path, options, ret, err);
}

int ingest_folder(struct store *store, struct arena *arena, const char *dir,
                  const struct ingest_options *options, struct tree_node *ret, struct err *err)
{
	struct stat_cache cache = { .base = { .find = find, .note = note },
		                    .store = store,
		                    .dir = dir };
	struct ingest_options own = *options;
	_cleanup_fd_ int fd = -1;
	int rc = fs_open_dir(AT_FDCWD, dir, &fd, err);

	if (rc)
		return rc < 0 ? -1 : PLACE_MISSING;
	if (!own.shown)
		own.shown = dir;
	if (own.blame == ERR_NONE)
		own.blame = ERR_INPUT;
	if (store->record && dir[0] == '/') {
		cache.base.folder = record_folder;
		cache.base.entry = record_entry;
	} else if (store->record) {
		snapshot_record_give_up(store->record);
	}
	rc = ingest_node_with(store->blobs, arena, fd, "", &own, &cache.base, ret, err);
	store_look_end(store);
	write_noted(&cache);
	array_deinit(&cache.noted);
	return rc;
}

void store_trust_stamps(struct store *store, bool on)
{
	store->trusting = on;
	store->ever_trusting |= on;
}

bool store_trusts_stamps(const struct store *store)
{
	return store->trusting;
}

void store_end_trust(struct store *store)
{
	store->trusting = false;
	if (!store->ever_trusting)
		return;
	store_changes(store);
	/* What was kept for the generation that it would have counts for nothing. */
	store->foreign = true;
}

/* ---- what is seen besides ------------------------------------------------------------------- */

bool store_is_recorded(const struct store *store)
{
	return store->record != NULL;
}

void store_saw_more(struct store *store)
{
	if (store->record)
		snapshot_record_give_up(store->record);
}

void store_saw_file(struct store *store, const char *path)
{
	struct stat st;

	if (!store->record)
		return;
	if (stat(path, &st) < 0)
		snapshot_record_kind(store->record, path, SNAPSHOT_NOTHING);
	else
		snapshot_record_target(store->record, path, &st);
}

static void saw_entries(struct store *store, int dir, const char *path,
                        const struct fs_names *names, bool below)
{
	struct stat st;

	for (size_t i = 0; i < names->names.n; i++) {
		if (fstatat(dir, names->names.v[i], &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    S_ISLNK(st.st_mode)) /* what it leads to would be told as if it were this */
			snapshot_record_give_up(store->record);
		else if (!S_ISDIR(st.st_mode))
			snapshot_record_entry(store->record, names->names.v[i], &st);
	}
	/* Entries follow their folder: those below come when all are told. */
	for (size_t i = 0; below && i < names->names.n; i++) {
		_cleanup_free_ char *next = path_join(path, names->names.v[i]);

		if (fstatat(dir, names->names.v[i], &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISDIR(st.st_mode))
			store_saw_folder(store, next, true);
	}
}

void store_saw_folder(struct store *store, const char *path, bool below)
{
	struct fs_names names = { 0 };
	struct err ignored = ERR_INIT;
	_cleanup_fd_ int dir = -1;
	struct stat st;

	if (!store->record)
		return;
	if (lstat(path, &st) < 0 && errno == ENOENT) {
		snapshot_record_kind(store->record, path, SNAPSHOT_NOTHING);
		return;
	}
	if (fs_open_dir(AT_FDCWD, path, &dir, &ignored) == 0 && fstat(dir, &st) == 0 &&
	    fs_list(dir, ".", &names, &ignored) == 0) {
		snapshot_record_folder(store->record, path, &st);
		saw_entries(store, dir, path, &names, below);
	} else {
		snapshot_record_give_up(store->record);
	}
	fs_names_deinit(&names);
}
