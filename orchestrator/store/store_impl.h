#ifndef KILN_STORE_STORE_IMPL_H
#define KILN_STORE_STORE_IMPL_H

#include "base/map.h"
#include "external/db.h"
#include "host/boot.h"
#include "store/store.h"

/* Inside of the store, for the files of this folder alone. */
enum store_query {
	QUERY_GET_RESULT,
	QUERY_PUT_RESULT,
	QUERY_SETTLE_RESULT,
	QUERY_GET_ADDRESS,
	QUERY_LIST_ADDRESSES,
	QUERY_LIST_FAILURES,
	QUERY_PUT_ADDRESS,
	QUERY_GET_FAILURE,
	QUERY_PUT_FAILURE,
	QUERY_DROP_FAILURE,
	QUERY_GET_FACT,
	QUERY_PUT_FACT,
	QUERY_DROP_FACT,
	QUERY_LIST_FACTS,
	QUERY_GET_ORIGINS,
	QUERY_PUT_ORIGINS,
	QUERY_GET_BEFORE,
	QUERY_PUT_BEFORE,
	QUERY_GET_USE,
	QUERY_PUT_USE,
	QUERY_GET_STAMP,
	QUERY_PUT_STAMP,
	QUERY_COUNT,
};

struct store {
	char *dir;
	int fd; /* dir, open */
	struct blobs *blobs;
	struct db *db;
	struct db_stmt *queries[QUERY_COUNT]; /* prepared when first used */
	char boot[BOOT_ID_SIZE];
	struct map *whole;  /* digests of directories seen complete in this process */
	struct map *uses;   /* what was used and is not written yet (use.h) */
	int claims;         /* the file whose bytes are locked, or -1 */
	int in_use;         /* held, shared, while the store is open */
	bool alone;         /* held exclusively, until it is closed */
	bool looking;       /* in a transaction of look-ups */
	bool trusting;      /* of a source's file the stamps are enough (folder.h) */
	bool ever_trusting; /* … or were so once */
	struct digest
		*seen; /* while looking: blobs that were there, each at the place of its hash */
	bool changed;  /* what it says is not what it said: no snapshot holds any more */
	bool foreign;  /* … and others changed it too since it was opened */
	int changes;   /* held, shared, since it was changed (generation.c); or -1 */
	off_t mark;    /* the size of that file with this process's byte */
	/* The generation that was found, and what it will have when it is closed (store_generation). "":
	 * none. */
	char generation[SNAPSHOT_GENERATION + 1], next[SNAPSHOT_GENERATION + 1];
	struct snapshot_record *record; /* or NULL */
};

/* Finds its generation; ends what store_changes() began. */
void generation_open(struct store *store);
void generation_close(struct store *store);
/* Before something is changed that a look-up would see; what a collection takes, too. */
void store_changes(struct store *store);
/* Removes claims of processes that are gone. */
int store_sweep_claims(struct store *store, struct err *err);
/* A digest out of a column of bytes; false where it is none. */
bool store_take_digest(struct str bytes, struct digest *ret);
/* The prepared statement of a query. */
int store_query(struct store *store, enum store_query query, struct db_stmt **ret, struct err *err);
/* Begins a transaction that writes; one of look-ups ends. */
int store_begin(struct store *store, struct err *err);
/* Ends what store_begin() began: commits where rc is 0, else, or where that fails, takes it back. Returns
 * rc, or -1. */
int store_end(struct store *store, int rc, struct err *err);

#endif
