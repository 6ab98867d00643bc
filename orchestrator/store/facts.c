/* Facts: small documents by kind and name. */
#include "store/store.h"

#include "store/store_impl.h"

int store_get_fact(struct store *store, const char *kind, const char *name, char **ret_json,
                   struct err *err)
{
	struct db_stmt *stmt;
	int rc;

	if (store_query(store, QUERY_GET_FACT, &stmt, err) < 0)
		return -1;
	db_bind_text(stmt, 1, kind);
	db_bind_text(stmt, 2, name);
	rc = db_step(stmt, err);
	if (rc != DB_ROW)
		return rc < 0 ? -1 : STORE_MISS;
	*ret_json = str_dup(db_text(stmt, 0));
	db_reset(stmt);
	return 0;
}

int store_put_fact(struct store *store, const char *kind, const char *name, const char *json,
                   struct err *err)
{
	struct db_stmt *stmt;

	if (store_query(store, QUERY_PUT_FACT, &stmt, err) < 0)
		return -1;
	db_bind_text(stmt, 1, kind);
	db_bind_text(stmt, 2, name);
	db_bind_text(stmt, 3, json);
	return db_run(stmt, err);
}
