/* What stands and stood under a stage's address, and where its inputs came from. */
#include "store/store.h"

#include <string.h>

#include "base/str.h"
#include "host/fs.h"
#include "store/store_impl.h"

bool store_take_digest(struct str bytes, struct digest *ret)
{
	if (bytes.n != sizeof(ret->bytes))
		return false;
	memcpy(ret->bytes, bytes.p, sizeof(ret->bytes));
	return true;
}

int store_put_origins(struct store *store, const char *address, const struct digest *action,
                      const char *body, struct err *err)
{
	struct db_stmt *stmt;

	if (store_query(store, QUERY_PUT_ORIGINS, &stmt, err) < 0)
		return -1;
	db_bind_text(stmt, 1, address);
	db_bind_bytes(stmt, 2, action, sizeof(*action));
	db_bind_text(stmt, 3, body);
	return db_run(stmt, err);
}

int store_get_origins(struct store *store, const char *address, const struct digest *action,
                      char **ret_body, struct err *err)
{
	struct db_stmt *stmt;
	int rc;

	if (store_query(store, QUERY_GET_ORIGINS, &stmt, err) < 0)
		return -1;
	db_bind_text(stmt, 1, address);
	db_bind_bytes(stmt, 2, action, sizeof(*action));
	rc = db_step(stmt, err);
	if (rc != DB_ROW)
		return rc < 0 ? -1 : STORE_MISS;
	*ret_body = str_dup(db_text(stmt, 0));
	db_reset(stmt);
	return 0;
}

/* The action in the first column of what a query finds for an address, the time in the second. */
static int find_action(struct store *store, enum store_query query, const char *address,
                       struct digest *ret_action, int64_t *ret_wall_us, struct err *err)
{
	struct db_stmt *stmt;
	int rc;

	if (store_query(store, query, &stmt, err) < 0)
		return -1;
	db_bind_text(stmt, 1, address);
	rc = db_step(stmt, err);
	if (rc != DB_ROW)
		return rc < 0 ? -1 : STORE_MISS;
	rc = store_take_digest(db_bytes(stmt, 0), ret_action) ? 0 : STORE_MISS;
	if (rc == 0 && ret_wall_us)
		*ret_wall_us = db_int(stmt, 1);
	db_reset(stmt);
	return rc;
}

int store_last_action(struct store *store, const char *address, struct digest *ret_action,
                      int64_t *ret_wall_us, struct err *err)
{
	return find_action(store, QUERY_GET_ADDRESS, address, ret_action, ret_wall_us, err);
}

int store_action_before(struct store *store, const char *address, struct digest *ret_action,
                        struct err *err)
{
	return find_action(store, QUERY_GET_BEFORE, address, ret_action, NULL, err);
}

/* What a query lists of the addresses that begin with a prefix, in their order. */
static int list(struct store *store, enum store_query query, const char *prefix,
                struct db_stmt **ret, struct err *err)
{
	_cleanup_free_ char *end = str_fmt("%s\xff", prefix); /* behind whatever is UTF-8 */

	if (store_query(store, query, ret, err) < 0)
		return -1;
	db_bind_text(*ret, 1, prefix);
	db_bind_text(*ret, 2, end);
	return 0;
}

/* Few of many fail: they are met on the way through all. */
static int list_failures(struct store *store, const char *prefix, struct fs_names *ret,
                         struct err *err)
{
	struct db_stmt *stmt;
	int rc;

	if (list(store, QUERY_LIST_FAILURES, prefix, &stmt, err) < 0)
		return -1;
	while ((rc = db_step(stmt, err)) == DB_ROW)
		fs_names_add(ret, db_text(stmt, 0), strlen(db_text(stmt, 0)));
	return rc;
}

static bool is_next(const struct fs_names *names, size_t *at, const char *address)
{
	while (*at < names->names.n && strcmp(names->names.v[*at], address) < 0)
		++*at;
	return *at < names->names.n && str_eq(names->names.v[*at], address);
}

int store_each_last(struct store *store, const char *prefix, store_last_fn visit, void *data,
                    struct err *err)
{
	struct fs_names failed = { 0 };
	struct digest action;
	struct db_stmt *stmt;
	size_t at = 0;
	int rc = list_failures(store, prefix, &failed, err);

	if (rc == 0)
		rc = list(store, QUERY_LIST_ADDRESSES, prefix, &stmt, err);
	while (rc == 0 && (rc = db_step(stmt, err)) == DB_ROW) {
		if (store_take_digest(db_bytes(stmt, 1), &action))
			visit(data, db_text(stmt, 0), &action, db_int(stmt, 2),
			      is_next(&failed, &at, db_text(stmt, 0)));
		rc = 0;
	}
	fs_names_deinit(&failed);
	return rc;
}
