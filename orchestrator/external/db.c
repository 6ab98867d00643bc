/*
 * SQLite behind an opaque handle. The log is not synced at each commit (synchronous=NORMAL): a
 * power loss may take back the last transactions, which are then made again, but never tears one.
 */
#include "external/db.h"

#include <errno.h>
#include <sqlite3.h>
#include <string.h>
#include <time.h>

#include "host/failpoint.h"

enum { BUSY_MS = 30000, WAL_ATTEMPTS = 200 };

struct db {
	sqlite3 *handle;
	char *path;
};

struct db_stmt {
	struct db *db;
	sqlite3_stmt *handle;
};

/* In SQLite's words; a full disk is called the same whoever meets it. */
static const char *words_of(const struct db *db, int code)
{
	if (code == SQLITE_FULL)
		return strerror(ENOSPC);
	return db->handle && sqlite3_errcode(db->handle) != SQLITE_OK ? sqlite3_errmsg(db->handle) :
	                                                                sqlite3_errstr(code);
}

/* Turns SQLite's state into our error. */
static int fail(struct db *db, int code, const char *what, struct err *err)
{
	int sys = db->handle ? sqlite3_system_errno(db->handle) : 0;

	code &= 0xff;
	err_set(err, ERR_IO, "cannot %s the database %s: %s", what, db->path, words_of(db, code));
	if (code == SQLITE_FULL || err_sys_is_full(sys))
		return err_hint(err,
		                "free some space (or raise the quota) and run the same command "
		                "again; what is complete is kept");
	if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
		return err_hint(err, "remove %s, %s-wal and %s-shm: what it knew is found out anew",
		                db->path, db->path, db->path);
	if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
		return err_hint(err,
		                "another process holds it for more than %d s: wait for it or "
		                "end it",
		                BUSY_MS / 1000);
	if (code == SQLITE_READONLY || code == SQLITE_CANTOPEN || code == SQLITE_PERM)
		return err_hint(err, "make the folder writable, or choose another one with --store "
		                     "or KILN_STORE");
	return -1;
}

/*
 * Switching to the write-ahead log fails at once, without waiting, when another process does the
 * same; it then tries again.
 */
static int enter_wal(struct db *db, struct err *err)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	int rc = SQLITE_BUSY;

	for (int i = 0; i < WAL_ATTEMPTS && (rc & 0xff) == SQLITE_BUSY; i++) {
		if (i > 0)
			nanosleep(&pause, NULL);
		rc = sqlite3_exec(db->handle, "PRAGMA journal_mode=WAL", NULL, NULL, NULL);
	}
	return rc == SQLITE_OK ? 0 : fail(db, rc, "open", err);
}

int db_open(const char *path, struct db **ret, struct err *err)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
	struct db *db = alloc(sizeof(*db));
	int rc;

	db->path = str_dup(path);
	rc = failpoint("db-open") ? SQLITE_FULL : sqlite3_open_v2(path, &db->handle, flags, NULL);
	/* SQLite opens what it cannot write for reading, and fails only later. */
	if (rc == SQLITE_OK && sqlite3_db_readonly(db->handle, "main") == 1)
		rc = SQLITE_READONLY;
	if (rc != SQLITE_OK) {
		fail(db, rc, "open", err);
		db_close(db);
		return -1;
	}
	sqlite3_extended_result_codes(db->handle, 1);
	sqlite3_busy_timeout(db->handle, BUSY_MS);
	/* 256 KiB of pages: what asks for many rows asks in their order. */
	if (enter_wal(db, err) < 0 ||
	    db_exec(db,
	            "PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY; "
	            "PRAGMA trusted_schema=OFF; PRAGMA cache_size=-256",
	            err) < 0) {
		db_close(db);
		return -1;
	}
	*ret = db;
	return 0;
}

struct db *db_close(struct db *db)
{
	if (db) {
		bug_on(sqlite3_close(db->handle) != SQLITE_OK);
		free(db->path);
		free(db);
	}
	return NULL;
}

int db_exec(struct db *db, const char *sql, struct err *err)
{
	int rc = failpoint("db-exec") ? SQLITE_FULL :
	                                sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : fail(db, rc, "use", err);
}

int db_get_version(struct db *db, int *ret, struct err *err)
{
	struct db_stmt *stmt;
	int rc;

	if (db_prepare(db, "PRAGMA user_version", &stmt, err) < 0)
		return -1;
	rc = db_step(stmt, err);
	if (rc == DB_ROW)
		*ret = (int)db_int(stmt, 0);
	db_stmt_free(stmt);
	return rc < 0 ? -1 : 0;
}

int db_set_version(struct db *db, int version, struct err *err)
{
	_cleanup_free_ char *sql = str_fmt("PRAGMA user_version=%d", version);

	return db_exec(db, sql, err);
}

int db_begin_reading(struct db *db, struct err *err)
{
	return db_exec(db, "BEGIN DEFERRED", err);
}

int db_begin(struct db *db, struct err *err)
{
	if (failpoint("db-begin"))
		return err_sys(err, ERR_IO, "cannot write to the database %s", db->path);
	return db_exec(db, "BEGIN IMMEDIATE", err);
}

int db_commit(struct db *db, struct err *err)
{
	if (failpoint("db-commit"))
		return err_sys(err, ERR_IO, "cannot write to the database %s", db->path);
	return db_exec(db, "COMMIT", err);
}

void db_rollback(struct db *db)
{
	/* Fails only where SQLite has rolled back by itself. */
	sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

int db_prepare(struct db *db, const char *sql, struct db_stmt **ret, struct err *err)
{
	sqlite3_stmt *handle = NULL;
	struct db_stmt *stmt;
	int rc = SQLITE_IOERR;

	if (!failpoint("db-prepare"))
		rc = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &handle,
		                        NULL);

	if (rc != SQLITE_OK)
		return fail(db, rc, "read", err);
	stmt = alloc(sizeof(*stmt));
	stmt->db = db;
	stmt->handle = handle;
	*ret = stmt;
	return 0;
}

struct db_stmt *db_stmt_free(struct db_stmt *stmt)
{
	if (stmt) {
		sqlite3_finalize(stmt->handle);
		free(stmt);
	}
	return NULL;
}

void db_bind_int(struct db_stmt *stmt, int at, int64_t value)
{
	bug_on(sqlite3_bind_int64(stmt->handle, at, value) != SQLITE_OK);
}

void db_bind_text(struct db_stmt *stmt, int at, const char *text)
{
	bug_on(sqlite3_bind_text(stmt->handle, at, text, -1, SQLITE_TRANSIENT) != SQLITE_OK);
}

void db_bind_bytes(struct db_stmt *stmt, int at, const void *p, size_t n)
{
	bug_on(sqlite3_bind_blob64(stmt->handle, at, n ? p : "", n, SQLITE_TRANSIENT) != SQLITE_OK);
}

int db_step(struct db_stmt *stmt, struct err *err)
{
	int rc = failpoint("db-step") ? SQLITE_FULL : sqlite3_step(stmt->handle);

	if (rc == SQLITE_ROW)
		return DB_ROW;
	if (rc != SQLITE_DONE) {
		fail(stmt->db, rc, "use", err);
		db_reset(stmt);
		return -1;
	}
	db_reset(stmt);
	return 0;
}

int db_run(struct db_stmt *stmt, struct err *err)
{
	int rc;

	do
		rc = db_step(stmt, err);
	while (rc == DB_ROW);
	return rc;
}

void db_reset(struct db_stmt *stmt)
{
	sqlite3_reset(stmt->handle);
	sqlite3_clear_bindings(stmt->handle);
}

int64_t db_int(struct db_stmt *stmt, int at)
{
	return sqlite3_column_int64(stmt->handle, at);
}

const char *db_text(struct db_stmt *stmt, int at)
{
	const unsigned char *text = sqlite3_column_text(stmt->handle, at);

	return text ? (const char *)text : "";
}

struct str db_bytes(struct db_stmt *stmt, int at)
{
	const void *p = sqlite3_column_blob(stmt->handle, at);
	int n = sqlite3_column_bytes(stmt->handle, at);

	return (struct str){ p ? p : "", (size_t)n };
}
