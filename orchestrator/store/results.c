/*
 * What actions gave. Results are kept by action, for the cache; failures and the last action are
 * kept by stage address, for people. Nothing here waits for the disk: see store_put_result.
 */
#include "store/store.h"

#include <unistd.h>

#include "base/str.h"
#include "store/place.h"
#include "store/store_impl.h"
#include "store/use.h"

enum { RESULT_MOST = 16 << 20, SEEN = 1024 };

/* Looking whether all content of a result is there. */
struct completeness {
	struct store *store;
	bool deep;        /* hash everything */
	struct err fault; /* a disk that does not answer says nothing of what is there */
};

/* Where a blob that was there is noted; what stood there is forgotten. NULL: nothing is noted. */
static struct digest *seen_at(const struct completeness *c, const struct blob_ref *ref)
{
	const unsigned char *bytes = ref->digest.bytes;

	return c->store->looking ? &c->store->seen[(bytes[0] | bytes[1] << 8) % SEEN] : NULL;
}

/* Many stages print nothing: the blob of what they all printed is looked for once. */
static bool blob_is_there(const struct completeness *c, const struct blob_ref *ref)
{
	struct digest *seen = seen_at(c, ref);

	if (c->deep)
		return blobs_verify(c->store->blobs, ref);
	if (seen && digest_eq(seen, &ref->digest))
		return true;
	if (!blobs_has(c->store->blobs, ref))
		return false;
	if (seen)
		*seen = ref->digest;
	return true;
}

static int visit_node(void *data, const char *path, const struct tree_node *node, struct err *err)
{
	const struct completeness *c = data;

	if (node->kind == NODE_LINK || blob_is_there(c, &node->ref))
		return 0;
	return err_set(err, ERR_IO, "the content of %s is missing", path); /* ends the walk */
}

static bool dir_is_whole(struct completeness *c, const struct blob_ref *ref)
{
	struct map *seen = c->store->whole;

	if (!c->deep && map_get_n(seen, &ref->digest, sizeof(ref->digest)))
		return true;
	if (!blob_is_there(c, ref))
		return false;
	if (tree_walk(c->store->blobs, ref, visit_node, c, &c->fault) < 0)
		return false;
	map_set_n(seen, &ref->digest, sizeof(ref->digest), c->store);
	return true;
}

static bool node_is_whole(struct completeness *c, const struct tree_node *node)
{
	switch (node->kind) {
	case NODE_FILE:
		return blob_is_there(c, &node->ref);
	case NODE_DIR:
		return dir_is_whole(c, &node->ref);
	case NODE_LINK:
		break;
	}
	return true;
}

static bool content_is_there(struct completeness *c, const struct result *result)
{
	if (!digest_is_none(&result->out.digest) && !blob_is_there(c, &result->out))
		return false;
	if (!digest_is_none(&result->log.digest) && !blob_is_there(c, &result->log))
		return false;
	for (size_t i = 0; i < result->n_outputs; i++)
		if (!node_is_whole(c, result->outputs[i].node))
			return false;
	return true;
}

/* What was looked for comes to 0, STORE_MISS, or the disk's fault. */
static int verdict(const struct completeness *c, bool whole, struct err *err)
{
	if (whole)
		return 0;
	if (!c->fault.sys || blobs_is_miss(&c->fault))
		return STORE_MISS;
	*err = c->fault;
	return -1;
}

static int check_content(struct store *store, const struct result *result, bool deep,
                         struct err *err)
{
	struct completeness c = { .store = store, .deep = deep, .fault = ERR_INIT };

	return verdict(&c, content_is_there(&c, result), err);
}

int store_has_content(struct store *store, const struct result *result, struct err *err)
{
	return check_content(store, result, false, err);
}

int store_has_node(struct store *store, const struct tree_node *node, struct err *err)
{
	struct completeness c = { .store = store, .fault = ERR_INIT };

	return verdict(&c, node_is_whole(&c, node), err);
}

/* A result of another boot was hashed whole: what the disk holds now it will hold. */
static void settle(struct store *store, const struct digest *action)
{
	struct err ignored = ERR_INIT;
	struct db_stmt *stmt;

	if (store_query(store, QUERY_SETTLE_RESULT, &stmt, &ignored) < 0)
		return;
	db_bind_bytes(stmt, 1, action, sizeof(*action));
	db_run(stmt, &ignored); /* else it is hashed again next time */
}

int store_get_result(struct store *store, struct arena *arena, const struct digest *action,
                     struct result *ret, struct err *err)
{
	struct err corrupt = ERR_INIT;
	struct result result;
	struct db_stmt *stmt;
	int64_t used;
	bool deep;
	int rc;

	if (store_query(store, QUERY_GET_RESULT, &stmt, err) < 0)
		return -1;
	db_bind_bytes(stmt, 1, action, sizeof(*action));
	rc = db_step(stmt, err);
	if (rc != DB_ROW)
		return rc < 0 ? -1 : STORE_MISS;
	rc = result_decode(arena, db_bytes(stmt, 0), &result, &corrupt);
	deep = db_text(stmt, 1)[0] && !str_eq(db_text(stmt, 1), store->boot);
	used = db_int(stmt, 2);
	db_reset(stmt);
	if (rc < 0)
		return STORE_MISS;
	rc = check_content(store, &result, deep, err);
	if (rc)
		return rc;
	use_note(store, action, sizeof(*action), used);
	if (deep)
		settle(store, action);
	*ret = result;
	return 0;
}

static int bind_and_run(struct store *store, enum store_query query, const char *address,
                        const struct digest *action, int64_t wall_us, struct err *err)
{
	struct db_stmt *stmt;

	if (store_query(store, query, &stmt, err) < 0)
		return -1;
	db_bind_text(stmt, 1, address);
	if (action)
		db_bind_bytes(stmt, 2, action, sizeof(*action));
	if (query == QUERY_PUT_ADDRESS)
		db_bind_int(stmt, 3, wall_us);
	return db_run(stmt, err);
}

/* The last action of an address, the one before it, and no failure any more; in the caller's
 * transaction. */
static int put_address(struct store *store, const char *address, const struct digest *action,
                       int64_t wall_us, struct err *err)
{
	if (bind_and_run(store, QUERY_PUT_BEFORE, address, action, 0, err) < 0 ||
	    bind_and_run(store, QUERY_PUT_ADDRESS, address, action, wall_us, err) < 0)
		return -1;
	return bind_and_run(store, QUERY_DROP_FAILURE, address, NULL, 0, err);
}

static int put_result(struct store *store, const struct digest *action, const char *address,
                      const struct buf *body, int64_t wall_us, struct err *err)
{
	struct db_stmt *stmt;

	if (store_query(store, QUERY_PUT_RESULT, &stmt, err) < 0)
		return -1;
	db_bind_bytes(stmt, 1, action, sizeof(*action));
	db_bind_bytes(stmt, 2, buf_text(body), body->n);
	db_bind_text(stmt, 3, store->boot);
	if (db_run(stmt, err) < 0 || use_put(store, action, sizeof(*action), err) < 0)
		return -1;
	return put_address(store, address, action, wall_us, err);
}

int store_begin(struct store *store, struct err *err)
{
	store_look_end(store);
	return db_begin(store->db, err);
}

int store_look_begin(struct store *store, struct err *err)
{
	if (store->looking)
		return 0;
	if (db_begin_reading(store->db, err) < 0)
		return -1;
	if (!store->seen)
		store->seen = alloc_array(SEEN, sizeof(*store->seen));
	memset(store->seen, 0, SEEN * sizeof(*store->seen));
	store->looking = true;
	return 0;
}

void store_look_end(struct store *store)
{
	if (!store->looking)
		return;
	store->looking = false;
	db_rollback(store->db); /* nothing was written */
}

int store_end(struct store *store, int rc, struct err *err)
{
	if (rc == 0)
		rc = db_commit(store->db, err);
	if (rc < 0)
		db_rollback(store->db);
	return rc;
}

static int encode(struct result *result, struct buf *buf, struct err *err)
{
	result_encode(result, buf);
	if (buf->overflow)
		return err_set(err, ERR_IO, "a result names too many outputs (%zu)",
		               result->n_outputs);
	return 0;
}

int store_put_result(struct store *store, const struct digest *action, const char *address,
                     struct result *result, struct err *err)
{
	_cleanup_buf_ struct buf body = BUF_INIT(RESULT_MOST);
	int rc;

	if (encode(result, &body, err) < 0)
		return -1;
	if (!store->boot[0] && syncfs(store->fd) < 0)
		return err_sys(err, ERR_IO, "cannot make the store %s durable", store->dir);
	if (store_begin(store, err) < 0)
		return -1;
	store_changes(store);
	rc = put_result(store, action, address, &body, result->wall_us, err);
	return store_end(store, rc, err);
}

/* 1 when a failure is kept under an address, 0 when not. */
static int has_failure(struct store *store, const char *address, struct err *err)
{
	struct db_stmt *stmt;
	int rc;

	if (store_query(store, QUERY_GET_FAILURE, &stmt, err) < 0)
		return -1;
	db_bind_text(stmt, 1, address);
	rc = db_step(stmt, err);
	if (rc == DB_ROW)
		db_reset(stmt);
	return rc;
}

int store_note_action(struct store *store, const char *address, const struct digest *action,
                      int64_t wall_us, struct err *err)
{
	struct digest last;
	int rc = store_last_action(store, address, &last, NULL, err);
	int failed = rc < 0 ? -1 : has_failure(store, address, err);

	if (rc < 0 || failed < 0)
		return -1;
	if (rc == 0 && digest_eq(&last, action) && !failed)
		return 0; /* the usual case writes nothing */
	if (store_begin(store, err) < 0)
		return -1;
	store_changes(store);
	rc = put_address(store, address, action, wall_us, err);
	return store_end(store, rc, err) < 0 ? -1 : STORE_NOTED;
}

int store_put_failure(struct store *store, const char *address, const struct digest *action,
                      struct result *result, struct err *err)
{
	_cleanup_buf_ struct buf body = BUF_INIT(RESULT_MOST);
	struct db_stmt *stmt;

	store_changes(store);
	if (encode(result, &body, err) < 0 || store_query(store, QUERY_PUT_FAILURE, &stmt, err) < 0)
		return -1;
	db_bind_text(stmt, 1, address);
	db_bind_bytes(stmt, 2, action, sizeof(*action));
	db_bind_bytes(stmt, 3, buf_text(&body), body.n);
	return db_run(stmt, err);
}

int store_get_failure(struct store *store, struct arena *arena, const char *address,
                      struct digest *ret_action, struct result *ret, struct err *err)
{
	struct err corrupt = ERR_INIT;
	struct digest action;
	struct result result;
	struct db_stmt *stmt;
	int rc;

	if (store_query(store, QUERY_GET_FAILURE, &stmt, err) < 0)
		return -1;
	db_bind_text(stmt, 1, address);
	rc = db_step(stmt, err);
	if (rc != DB_ROW)
		return rc < 0 ? -1 : STORE_MISS;
	rc = result_decode(arena, db_bytes(stmt, 1), &result, &corrupt);
	if (!store_take_digest(db_bytes(stmt, 0), &action))
		rc = -1;
	db_reset(stmt);
	if (rc < 0)
		return STORE_MISS;
	*ret_action = action;
	*ret = result;
	return 0;
}
