#ifndef KILN_TESTS_A_RESULT_H
#define KILN_TESTS_A_RESULT_H

/* A store with results in it: what tests of collections and of checks share. */
#include "store/gc.h"
#include "store/place.h"
#include "unit/stored.h"

struct fixture {
	char *dir;
	struct store *store;
	struct arena *arena;
	struct map *needed;
	struct gc_outcome outcome;
};

static inline int setup(void **state)
{
	struct fixture *f = alloc(sizeof(*f));

	f->dir = test_folder();
	f->store = test_store(f->dir, "store");
	f->arena = arena_new();
	f->needed = map_new();
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	store_close(f->store);
	arena_free(f->arena);
	map_free(f->needed);
	test_folder_remove(f->dir);
	free(f);
	return 0;
}

static inline struct blob_ref blob(struct fixture *f, const char *text)
{
	struct blob_ref ref;
	struct err err = ERR_INIT;

	must(blobs_put(store_blobs(f->store), text, strlen(text), &ref, &err), &err);
	return ref;
}

static inline bool is_there(struct fixture *f, const struct blob_ref *ref)
{
	return blobs_has(store_blobs(f->store), ref);
}

/* A tree of one file in a folder. */
static inline struct blob_ref tree(struct fixture *f, const char *text)
{
	struct placement p = { "a/b", { .name = "", .kind = NODE_FILE, .ref = blob(f, text) } };
	struct blob_ref root;
	struct err err = ERR_INIT;

	must(place_compose(store_blobs(f->store), &p, 1, &root, &err), &err);
	return root;
}

/* An action over a tree, with a file and a folder as outputs. */
struct made {
	struct blob_ref action, taken, file, folder;
};

static inline struct made result(struct fixture *f, const char *name)
{
	struct made m = { .taken = tree(f, arena_fmt(f->arena, "%s takes", name)),
		          .file = blob(f, arena_fmt(f->arena, "%s makes", name)),
		          .folder = tree(f, arena_fmt(f->arena, "%s makes below", name)) };
	struct action action = { .workdir = "", .arch = "amd64", .input_root = &m.taken };
	struct tree_node nodes[] = { { "", NODE_FILE, false, m.file, NULL },
		                     { "", NODE_DIR, false, m.folder, NULL } };
	struct result_output outputs[] = { { "a", &nodes[0] }, { "b", &nodes[1] } };
	struct result r = { .outputs = outputs, .n_outputs = 2 };
	_cleanup_buf_ struct buf bytes = BUF_INIT(1 << 16);
	struct err err = ERR_INIT;

	r.out = r.log = blob(f, "");
	action_encode(&action, &bytes);
	m.action = blob(f, buf_text(&bytes));
	must(blobs_put(store_blobs(f->store), buf_text(&bytes), bytes.n, &m.action, &err), &err);
	must(store_put_result(f->store, &m.action.digest, name, &r, &err), &err);
	return m;
}

static inline bool is_known(struct fixture *f, const struct made *m)
{
	struct result r;
	struct err err = ERR_INIT;
	int rc = store_get_result(f->store, f->arena, &m->action.digest, &r, &err);

	assert_true(rc >= 0);
	return rc == 0;
}

#endif
