#ifndef KILN_TESTS_STORED_H
#define KILN_TESTS_STORED_H

#include "store/store.h"
#include "unit/support.h"

/* The store DIR/NAME, new or not. */
static inline struct store *test_store(const char *dir, const char *name)
{
	_cleanup_free_ char *path = str_fmt("%s/%s", dir, name);
	struct store *store = NULL;
	struct err err = ERR_INIT;

	must(store_open(path, &store, &err), &err);
	return store;
}

#endif
