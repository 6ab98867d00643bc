/*
 * Opening and closing the store: its folder, its version, its database. One lock orders processes
 * that open it at the same time, so that exactly one makes the tables.
 */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "base/str.h"
#include "host/failpoint.h"
#include "host/fs.h"
#include "host/lock.h"
#include "host/shared_fs.h"
#include "snapshot/record.h"
#include "store/blobs_ops.h"
#include "store/store_impl.h"
#include "store/use.h"

enum { STORE_VERSION = 3, VERSION_FILE_MOST = 64 };

/* What each version adds. A process of an older Kiln that has the store open goes on unharmed: no
 * table changes its columns. */
static const char version_1[] =
	"CREATE TABLE results(action BLOB PRIMARY KEY, body BLOB NOT NULL, boot TEXT NOT NULL)"
	" WITHOUT ROWID;"
	"CREATE TABLE addresses(address TEXT PRIMARY KEY, action BLOB NOT NULL,"
	" wall_us INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE failures(address TEXT PRIMARY KEY, action BLOB NOT NULL, body BLOB NOT NULL)"
	" WITHOUT ROWID;"
	"CREATE TABLE facts(kind TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL,"
	" PRIMARY KEY(kind, name)) WITHOUT ROWID;"
	"CREATE TABLE stamps(dev INTEGER NOT NULL, ino INTEGER NOT NULL, size INTEGER NOT NULL,"
	" mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, digest BLOB NOT NULL,"
	" PRIMARY KEY(dev, ino)) WITHOUT ROWID;";
static const char version_2[] =
	"CREATE TABLE origins(address TEXT NOT NULL, action BLOB NOT NULL, body TEXT NOT NULL,"
	" PRIMARY KEY(address, action)) WITHOUT ROWID;"
	"CREATE TABLE before(address TEXT PRIMARY KEY, action BLOB NOT NULL) WITHOUT ROWID;";
/* What was there before is as if it was used now. */
static const char version_3[] =
	"CREATE TABLE uses(what BLOB PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;"
	"INSERT INTO uses SELECT action, CAST(strftime('%s', 'now') AS INTEGER) FROM results;";
static const char *const versions[STORE_VERSION] = { version_1, version_2, version_3 };

static const char *const queries[QUERY_COUNT] = {
	[QUERY_GET_RESULT] = ("SELECT body, boot, (SELECT at FROM uses WHERE what=?1)"
	                      " FROM results WHERE action=?1"),
	[QUERY_PUT_RESULT] = "INSERT OR REPLACE INTO results VALUES(?1, ?2, ?3)",
	[QUERY_SETTLE_RESULT] = "UPDATE results SET boot='' WHERE action=?1",
	[QUERY_GET_ADDRESS] = "SELECT action, wall_us FROM addresses WHERE address=?1",
	[QUERY_LIST_ADDRESSES] = ("SELECT address, action, wall_us FROM addresses"
	                          " WHERE address>=?1 AND address<?2 ORDER BY address"),
	[QUERY_LIST_FAILURES] = ("SELECT address FROM failures"
	                         " WHERE address>=?1 AND address<?2 ORDER BY address"),
	[QUERY_PUT_ADDRESS] = "INSERT OR REPLACE INTO addresses VALUES(?1, ?2, ?3)",
	[QUERY_GET_FAILURE] = "SELECT action, body FROM failures WHERE address=?1",
	[QUERY_PUT_FAILURE] = "INSERT OR REPLACE INTO failures VALUES(?1, ?2, ?3)",
	[QUERY_DROP_FAILURE] = "DELETE FROM failures WHERE address=?1",
	[QUERY_GET_FACT] = "SELECT body FROM facts WHERE kind=?1 AND name=?2",
	[QUERY_PUT_FACT] = "INSERT OR REPLACE INTO facts VALUES(?1, ?2, ?3)",
	[QUERY_DROP_FACT] = "DELETE FROM facts WHERE kind=?1 AND name=?2",
	[QUERY_LIST_FACTS] = "SELECT name FROM facts WHERE kind=?1 ORDER BY name",
	[QUERY_GET_ORIGINS] = "SELECT body FROM origins WHERE address=?1 AND action=?2",
	[QUERY_PUT_ORIGINS] = "INSERT OR REPLACE INTO origins VALUES(?1, ?2, ?3)",
	[QUERY_GET_BEFORE] = "SELECT action FROM before WHERE address=?1",
	[QUERY_PUT_BEFORE] = ("INSERT OR REPLACE INTO before SELECT address, action"
	                      " FROM addresses WHERE address=?1 AND action<>?2"),
	[QUERY_GET_USE] = "SELECT at FROM uses WHERE what=?1",
	[QUERY_PUT_USE] = "INSERT OR REPLACE INTO uses VALUES(?1, ?2)",
	[QUERY_GET_STAMP] = ("SELECT size, mtime_ns, ctime_ns, digest FROM stamps"
	                     " WHERE dev=?1 AND ino=?2"),
	[QUERY_PUT_STAMP] = "INSERT OR REPLACE INTO stamps VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
};

int store_query(struct store *store, enum store_query query, struct db_stmt **ret, struct err *err)
{
	struct db_stmt **stmt = &store->queries[query];

	if (store->looking && !str_starts(queries[query], "SELECT"))
		store_look_end(store);
	if (!*stmt && db_prepare(store->db, queries[query], stmt, err) < 0)
		return -1;
	*ret = *stmt;
	return 0;
}

static bool is_ours(const char *name)
{
	static const char *const ours[] = { "VERSION",       "blobs",     "db.sqlite",
		                            "db.sqlite-shm", "dev",       "db.sqlite-wal",
		                            "failed",        "images",    "locks",
		                            "lost+found",    "snapshots", "tmp",
		                            "trees",         "work",      NULL };
	const char *const *known = ours;

	while (*known && !str_eq(*known, name))
		known++;
	return *known != NULL;
}

/* Refuses to make a store among somebody's files; removes what a killed maker left. */
static int check_is_ours(int fd, const char *dir, struct err *err)
{
	struct fs_names list = { 0 };
	int rc = fs_list(fd, ".", &list, err);

	for (size_t i = 0; rc == 0 && i < list.names.n; i++) {
		const char *name = list.names.v[i];

		if (str_starts(name, ".VERSION.") && str_ends(name, ".tmp")) {
			rc = fs_remove_tree(fd, name, err);
		} else if (!is_ours(name)) {
			err_set(err, ERR_IO, "%s is not a store of Kiln: it holds \"%s\"", dir,
			        name);
			rc = err_hint(err, "name a new or an empty folder with --store or "
			                   "KILN_STORE");
		}
	}
	fs_names_deinit(&list);
	return rc;
}

/* Kilns on two machines would know nothing of each other's locks, and tear the database. */
static int check_local(int fd, const char *dir, struct err *err)
{
	const char *shared = failpoint("store-shared") ? "NFS" : shared_fs_name(fd);

	if (!shared)
		return 0;
	err_set(err, ERR_IO,
	        "the store %s is on a file system that other machines share (%s), where its locks and "
	        "its database do not hold",
	        dir, shared);
	return err_hint(err, "keep it on a disk of this machine: --store DIR or KILN_STORE, as in "
	                     "KILN_STORE=/var/tmp/kiln-$USER");
}

/* Whoever can write to the store decides what is built. */
static int check_owner(int fd, const char *dir, struct err *err)
{
	struct stat st;

	if (failpoint("store-stat") || fstat(fd, &st) < 0)
		return err_sys(err, ERR_IO, "cannot look at the store %s", dir);
	if (st.st_uid != geteuid()) {
		err_set(err, ERR_IO, "the store %s belongs to another user (uid %u)", dir,
		        (unsigned int)st.st_uid);
		return err_hint(err, "choose a folder of your own with --store or KILN_STORE");
	}
	if (st.st_mode & 022) {
		err_set(err, ERR_IO, "others can write to the store %s (mode %04o)", dir,
		        (unsigned int)(st.st_mode & 07777));
		return err_hint(err,
		                "chmod go-w %s   (if nobody else has written to it), or "
		                "choose another folder with --store or KILN_STORE",
		                dir);
	}
	return 0;
}

static int write_version(int fd, const char *dir, struct err *err)
{
	_cleanup_free_ char *ours = str_fmt("%d\n", STORE_VERSION);

	if (fs_write_file(fd, "VERSION", ours, strlen(ours), 0644, true, err) == 0)
		return 0;
	err_while(err, "making the store %s", dir);
	return store_hint(err);
}

/* Reads VERSION, or writes it in a new store. */
static int check_version(int fd, const char *dir, int *ret_version, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(VERSION_FILE_MOST);
	int rc = fs_read(fd, "VERSION", &text, err);
	char *end;
	long version;

	if (rc < 0)
		return err_while(err, "opening the store %s", dir);
	/* An empty one is what a power loss made of a new one. */
	if (rc == FS_MISSING || text.n == 0) {
		*ret_version = STORE_VERSION;
		return check_is_ours(fd, dir, err) < 0 ? -1 : write_version(fd, dir, err);
	}
	version = strtol(buf_text(&text), &end, 10);
	if (version < 1 || !str_eq(end, "\n")) {
		err_set(err, ERR_IO, "%s/VERSION is not a store's version", dir);
		return err_hint(err, "choose another folder with --store or KILN_STORE, or remove "
		                     "this one: all that is in it can be made again");
	}
	*ret_version = (int)version;
	if (version <= STORE_VERSION)
		return 0;
	err_set(err, ERR_IO,
	        "the store %s has version %ld, made by a newer Kiln; this one knows "
	        "version %d",
	        dir, version, STORE_VERSION);
	return err_hint(err, "use the newer Kiln, or choose another folder with --store or "
	                     "KILN_STORE");
}

int store_check(const char *dir, struct err *err)
{
	_cleanup_fd_ int fd = -1;
	int version, rc = fs_open_dir(AT_FDCWD, dir, &fd, err);

	if (rc)
		return rc < 0 || !fs_exists(AT_FDCWD, dir) ?
		               rc < 0 ? -1 : 0 :
		               err_set(err, ERR_IO, "%s is no folder", dir);
	if (check_local(fd, dir, err) < 0 || check_owner(fd, dir, err) < 0)
		return -1;
	return fs_exists(fd, "VERSION") ? check_version(fd, dir, &version, err) :
	                                  check_is_ours(fd, dir, err);
}

static int add_versions(struct db *db, int from, struct err *err)
{
	for (int i = from; i < STORE_VERSION; i++)
		if (db_exec(db, versions[i], err) < 0)
			return -1;
	return db_set_version(db, STORE_VERSION, err);
}

/* Makes the tables that a new or an older database lacks, in one transaction. */
static int make_tables(struct db *db, int from, struct err *err)
{
	if (db_begin(db, err) < 0)
		return -1;
	if (add_versions(db, from, err) < 0 || db_commit(db, err) < 0) {
		db_rollback(db);
		return -1;
	}
	return 0;
}

static int open_db(struct store *store, struct err *err)
{
	_cleanup_free_ char *path = path_join(store->dir, "db.sqlite");
	int version = 0;

	if (db_open(path, &store->db, err) < 0 || db_get_version(store->db, &version, err) < 0)
		return -1;
	if (version >= 0 && version < STORE_VERSION)
		return make_tables(store->db, version, err);
	if (version == STORE_VERSION)
		return 0;
	err_set(err, ERR_IO,
	        "the database of the store %s has version %d; this Kiln knows version "
	        "%d",
	        store->dir, version, STORE_VERSION);
	return err_hint(err, "use the Kiln that made it, or choose another folder with --store or "
	                     "KILN_STORE");
}

static int make_folders(const char *dir, struct err *err)
{
	static const char *const parts[] = { "images", "work", "locks" };

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		_cleanup_free_ char *path = path_join(dir, parts[i]);
		_cleanup_fd_ int fd = -1;

		if (fs_make_dirs(AT_FDCWD, path, 0700, err) < 0 ||
		    fs_must(fs_open_dir(AT_FDCWD, path, &fd, err), path, err) < 0) {
			err_while(err, "making the store");
			return store_hint(err);
		}
		/* A stage's work folder and an image have nothing in common with the next. */
		fs_hint_unrelated(fd);
	}
	return 0;
}

/* Fills an allocated store. What it opened is closed by store_close, also after a failure. */
static int open_parts(struct store *store, struct err *err)
{
	char *real = NULL;
	int version = STORE_VERSION, rc;

	if (fs_make_dirs(AT_FDCWD, store->dir, 0700, err) < 0) {
		err_while(err, "making the store");
		return store_hint(err);
	}
	rc = fs_open_dir(AT_FDCWD, store->dir, &store->fd, err);
	if (rc == 0)
		rc = fs_real_path(store->dir, &real, err);
	if (rc)
		return rc < 0 ? -1 : err_set(err, ERR_IO, "%s is no folder", store->dir);
	free(store->dir);
	store->dir = real;
	if (check_local(store->fd, store->dir, err) < 0)
		return -1;
	/* The folder itself is the lock: nothing may be made in it before it is known as ours. */
	if (lock_fd(store->fd, true, true, store->dir, err) < 0)
		return -1;
	if (check_owner(store->fd, store->dir, err) < 0 ||
	    check_version(store->fd, store->dir, &version, err) < 0 ||
	    make_folders(store->dir, err) < 0 || blobs_open(store->dir, &store->blobs, err) < 0 ||
	    open_db(store, err) < 0)
		return -1;
	/* Behind the tables: whoever is stopped between them finds an older store, and goes on. */
	if (version < STORE_VERSION && write_version(store->fd, store->dir, err) < 0)
		return -1;
	if (use_init(store, err) < 0)
		return -1;
	lock_release(store->fd);
	return 0;
}

int store_open(const char *dir, struct store **ret, struct err *err)
{
	struct store *store = alloc(sizeof(*store));

	store->fd = store->in_use = store->claims = store->changes = -1;
	store->whole = map_new();
	store->uses = map_new();
	if (store_place(dir, &store->dir, err) < 0 || open_parts(store, err) < 0) {
		store_close(store);
		return -1;
	}
	boot_id(store->boot);
	generation_open(store);
	*ret = store;
	return 0;
}
struct store *store_close(struct store *store)
{
	if (!store)
		return NULL;
	generation_close(store);
	store_look_end(store);
	free(store->seen);
	snapshot_record_free(store->record);
	use_deinit(store);
	for (size_t i = 0; i < ARRAY_LEN(store->queries); i++)
		db_stmt_free(store->queries[i]);
	db_close(store->db);
	blobs_free(store->blobs);
	fs_close(store->claims);
	fs_close(store->fd);
	map_free(store->whole);
	map_free(store->uses);
	free(store->dir);
	free(store);
	return NULL;
}

int store_folder(const struct store *store)
{
	return store->fd;
}

const char *store_dir(const struct store *store)
{
	return store->dir;
}

struct blobs *store_blobs(struct store *store)
{
	return store->blobs;
}

static int sweep(struct store *store, const char *part, struct err *err)
{
	_cleanup_fd_ int dir = -1;
	struct fs_names list = { 0 };
	int rc = fs_open_dir(store->fd, part, &dir, err);

	if (rc == FS_MISSING)
		return 0;
	if (rc == 0)
		rc = fs_list(dir, ".", &list, err);
	for (size_t i = 0; rc == 0 && i < list.names.n; i++) {
		_cleanup_fd_ int lock = -1;

		if (lock_dir_is_dead(dir, list.names.v[i], &lock))
			rc = fs_remove_tree(dir, list.names.v[i], err);
	}
	fs_names_deinit(&list);
	return rc < 0 ? err_while(err, "sweeping %s/%s", store->dir, part) : 0;
}

int store_sweep(struct store *store, struct err *err)
{
	if (sweep(store, "work", err) < 0 || sweep(store, "tmp", err) < 0)
		return -1;
	return store_sweep_claims(store, err);
}

struct snapshot_record *store_record(struct store *store, const struct buf *key, int64_t began_us)
{
	bug_on(store->record);
	store->record = snapshot_record_new(store->fd, key, began_us);
	return store->record;
}

void store_set_paranoid(struct store *store)
{
	blobs_set_paranoid(store->blobs);
}
