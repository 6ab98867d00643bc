#ifndef KILN_SOURCE_FETCHER_H
#define KILN_SOURCE_FETCHER_H

#include "base/arena.h"
#include "host/tmpfile.h"
#include "source/source.h"

/* What a fetcher works with. */
struct fetch {
	struct store *store;
	const struct source_request *request;
	const char *where; /* "recipes/gawk.lua:3", for errors */
	struct log *log;
	struct arena *arena; /* for strings of the node, as long as the call lasts */
};

/* One kind of leaf. Adding one: a file, a line in the table, a row in its contract test. */
struct fetcher {
	const char *kind;
	bool kept; /* the result is remembered under the pin; else it is looked at every time */
	/*
	 * Adds to `key` what the content depends on, and checks the leaf: ERR_INPUT names the place.
	 * *ret_pinned: whether a digest in it fixes the content.
	 */
	int (*key)(const struct fetch *fetch, json_t *key, bool *ret_pinned, struct err *err);
	int (*run)(const struct fetch *fetch, struct tree_node *ret_node, json_t *fact,
	           struct err *err);
};

extern const struct fetcher fetcher_checkout;
extern const struct fetcher fetcher_folder;
extern const struct fetcher fetcher_debian;
extern const struct fetcher fetcher_https;
extern const struct fetcher fetcher_cargo;
/* NULL-ended. */
extern const struct fetcher *const fetchers[];

/* A member of the leaf as text: ERR_INPUT naming leaf and place when it is missing. */
int fetch_str(const struct fetch *fetch, const char *key, const char **ret, struct err *err);
/* "sha256:…" under `key` into *ret; none where the member is missing. */
int fetch_digest(const struct fetch *fetch, const char *key, struct digest *ret, struct err *err);
/* Sets a member to "sha256:…". */
void fetch_set_digest(json_t *json, const char *key, const struct digest *digest);
/* How many children may read what is taken in: ingest_options.children. */
size_t fetch_children(const struct fetch *fetch);
/* Whether a node is whole in the store, with all that is in it. */
bool fetch_is_there(struct store *store, const struct tree_node *node);
/* A temporary folder in the store; *ret_path is absolute, the caller frees it. */
int fetch_tmpdir(const struct fetch *fetch, struct tmpdir *ret, int *ret_parent_fd, char **ret_path,
                 struct err *err);

#endif
