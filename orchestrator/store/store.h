#ifndef KILN_STORE_STORE_H
#define KILN_STORE_STORE_H

#include "base/alloc.h"
#include "base/arena.h"
#include "model/action.h"
#include "snapshot/snapshot.h"
#include "store/blobs.h"
#include "store/where.h"

/*
 * The store of one user on one machine: blobs, and a database (SQLite, WAL) of what is known:
 * action results, facts, pins. A folder:
 *   blobs/ab/…  images/<tree digest>/  work/<pid>-<n>/  failed/<action>/  tmp/  locks/  snapshots/
 *   db.sqlite
 *   VERSION
 * Only the process that opened a store uses its handle; children use blobs alone.
 */
struct store;

/* Outcome: not known. */
enum { STORE_MISS = 1 };

/* Whether store_open would refuse the folder for its owner, its mode, its version or what else lies in it.
 * Nothing is made; one that is not there yet is fine. */
int store_check(const char *dir, struct err *err);
/* Opens the one there, and makes it (0700).
 * A store of a newer version, a read-only or full one, one that belongs to another user or that
 * others can write to is ERR_IO with what to do. */
int store_open(const char *dir, struct store **ret, struct err *err);
struct store *store_close(struct store *store);
/* Absolute, links resolved. */
const char *store_dir(const struct store *store);
int store_folder(const struct store *store); /* the folder itself, open; borrowed */
struct blobs *store_blobs(struct store *store);

/* A result counts only while every blob it names is there. Decoded into the arena. */
int store_get_result(struct store *store, struct arena *arena, const struct digest *action,
                     struct result *ret, struct err *err);
/*
 * Records a result at once, so that a kill loses nothing, and without syncing the disk, which would
 * stall all that runs: the record carries the kernel's boot id. Seen after another boot, every blob
 * that it names is hashed once before it counts, so what a power loss broke is a miss. Where there
 * is no boot id, one syncfs comes before the transaction. Under `address` it becomes the last
 * action, and a failure kept there is forgotten.
 */
int store_put_result(struct store *store, const struct digest *action, const char *address,
                     struct result *result, struct err *err);
/* Says that an action known already (a cache hit) is now the last one under an address. Returns 0, or
 * STORE_NOTED where it was not so before. */
enum { STORE_NOTED = 2 };
int store_note_action(struct store *store, const char *address, const struct digest *action,
                      int64_t wall_us, struct err *err);
/* The last action (and its wall time) known under a stage address, for `log` and estimates. */
int store_last_action(struct store *store, const char *address, struct digest *ret_action,
                      int64_t *ret_wall_us, struct err *err);
/* A failed run is kept under its address only for `log`: never a cache hit. */
int store_put_failure(struct store *store, const char *address, const struct digest *action,
                      struct result *result, struct err *err);
int store_get_failure(struct store *store, struct arena *arena, const char *address,
                      struct digest *ret_action, struct result *ret, struct err *err);

/* Whether all content of a result is there, by the stamps of its blobs. Returns 0 or STORE_MISS. */
int store_has_content(struct store *store, const struct result *result, struct err *err);
/* … of a file or a folder. */
struct tree_node;
int store_has_node(struct store *store, const struct tree_node *node, struct err *err);

/*
 * Until the end, look-ups see the store as it is now: the database is locked once, not for each of
 * them, and a blob that was there is there. Whatever writes ends it; beginning twice does nothing.
 */
int store_look_begin(struct store *store, struct err *err);
void store_look_end(struct store *store);

/* Visits the last action of every address that begins so, in order of the bytes, and whether a failure
 * is kept under it as well. */
typedef void (*store_last_fn)(void *data, const char *address, const struct digest *action,
                              int64_t wall_us, bool failed);
int store_each_last(struct store *store, const char *prefix, store_last_fn visit, void *data,
                    struct err *err);

/*
 * Claims an action for this process before it is run, so that two processes do not run it both. Returns
 * 0, or STORE_CLAIMED while another one has it: its result may come, or it may fail and be free again.
 * The claim ends with the process, or when it is released; a result is recorded before. A process that
 * has it already gets it again.
 */
enum { STORE_CLAIMED = 3 };
int store_claim(struct store *store, const struct digest *action, struct err *err);
void store_release_claim(struct store *store, const struct digest *action);

/*
 * For `explain`: where the inputs of an action came from when it stood under an address (the text of
 * engine/origins.h; caller frees), and which action stood there before the last one.
 */
int store_put_origins(struct store *store, const char *address, const struct digest *action,
                      const char *body, struct err *err);
int store_get_origins(struct store *store, const char *address, const struct digest *action,
                      char **ret_body, struct err *err);
int store_action_before(struct store *store, const char *address, struct digest *ret_action,
                        struct err *err);

/*
 * Facts: small JSON documents by kind and name ("resolution", "training", "verdict", "leaf", …).
 * The text is canonical JSON and is copied.
 */
int store_get_fact(struct store *store, const char *kind, const char *name, char **ret_json,
                   struct err *err); /* caller frees */
int store_put_fact(struct store *store, const char *kind, const char *name, const char *json,
                   struct err *err);

/* Forgets one; what is not there is fine. */
int store_drop_fact(struct store *store, const char *kind, const char *name, struct err *err);
/* The names of all facts of a kind, sorted; for fs_names_deinit. */
struct fs_names;
int store_list_facts(struct store *store, const char *kind, struct fs_names *ret, struct err *err);

/* Says that something that is neither a result nor a fact is used now, for a collection to choose by:
 * "image HEX". */
void store_note_use(struct store *store, const char *what);
/*
 * Keeps other processes out of the store until it is closed. Returns 0; or, without `wait`, STORE_BUSY
 * while others work in it. What a collection goes by is read after this.
 */
enum { STORE_BUSY = 1 };
int store_alone(struct store *store, bool wait, struct err *err);
/*
 * The generation (snapshot/snapshot.h) that it will have when this process has closed it, if nobody else
 * changes it until then. False where somebody has, since it was opened, or that cannot be told.
 */
bool store_generation(struct store *store, char ret[SNAPSHOT_GENERATION + 1]);
/* From now on what is looked at is recorded for a snapshot of that key (snapshot/record.h). It is the
 * store's, and gone with it. */
struct snapshot_record;
struct snapshot_record *store_record(struct store *store, const struct buf *key, int64_t began_us);
/* From now on every blob is hashed when it is handed out. */
void store_set_paranoid(struct store *store);

/*
 * Removes what dead processes left in work/ and tmp/: entries whose lock (host/lock.h: flock on the
 * folder itself) is free. Who makes one there uses tmpdir_init, and gives builds only what is below.
 */
int store_sweep(struct store *store, struct err *err);

#endif
