/* Facts: small documents by kind and name. */
#include "store/store.h"

#include <string.h>

#include "base/str.h"
#include "host/fs.h"
#include "store/store_impl.h"
#include "store/use.h"

static void note_use(struct store *store, const char *kind, const char *name)
{
	_cleanup_free_ char *what = str_fmt("fact %s %s", kind, name);

	store_note_use(store, what);
}

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
	note_use(store, kind, name);
	return 0;
}

static bool is_known(struct store *store, const char *kind, const char *name, const char *json)
{
	_cleanup_free_ char *known = NULL;
	struct err ignored = ERR_INIT;

	return store_get_fact(store, kind, name, &known, &ignored) == 0 && str_eq(known, json);
}

int store_put_fact(struct store *store, const char *kind, const char *name, const char *json,
                   struct err *err)
{
	_cleanup_free_ char *what = NULL;
	bool news = !is_known(store, kind, name, json);
	struct db_stmt *stmt;
	int rc;

	if (news)
		store_changes(store);
	if (store_query(store, QUERY_PUT_FACT, &stmt, err) < 0)
		return -1;
	db_bind_text(stmt, 1, kind);
	db_bind_text(stmt, 2, name);
	db_bind_text(stmt, 3, json);
	what = str_fmt("fact %s %s", kind, name);
	rc = db_run(stmt, err) < 0 ? -1 : use_put(store, what, strlen(what), err);
	return rc;
}

int store_drop_fact(struct store *store, const char *kind, const char *name, struct err *err)
{
	struct db_stmt *stmt;

	store_changes(store);
	if (store_query(store, QUERY_DROP_FACT, &stmt, err) < 0)
		return -1;
	db_bind_text(stmt, 1, kind);
	db_bind_text(stmt, 2, name);
	return db_run(stmt, err);
}

int store_list_facts(struct store *store, const char *kind, struct fs_names *ret, struct err *err)
{
	struct db_stmt *stmt;
	int rc;

	if (store_query(store, QUERY_LIST_FACTS, &stmt, err) < 0)
		return -1;
	db_bind_text(stmt, 1, kind);
	while ((rc = db_step(stmt, err)) == DB_ROW)
		fs_names_add(ret, db_text(stmt, 0), strlen(db_text(stmt, 0)));
	return rc;
}
