#ifndef KILN_TESTS_A_TREE_H
#define KILN_TESTS_A_TREE_H

/* A folder with a store beside it, and trees taken from it: what tests of ingest and checkout share. */
#include "store/ingest.h"
#include "store/place.h"
#include "unit/support.h"

struct fixture {
	char *dir;
	int fd; /* dir */
	struct blobs *blobs;
	struct arena *arena;
};

static const struct ingest_options plain;
static const struct checkout_options epoch = { .epoch = 1735689600, .uid = -1, .gid = -1 };

static inline int setup(void **state)
{
	struct fixture *f = alloc(sizeof(*f));
	struct err err = ERR_INIT;
	char *store;

	umask(077); /* neither what is taken nor what is laid out depends on it */
	f->dir = test_folder();
	f->fd = test_open_dir(f->dir);
	store = str_fmt("%s/store", f->dir);
	must(blobs_open(store, &f->blobs, &err), &err);
	free(store);
	f->arena = arena_new();
	return *state = f, 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	umask(022);
	blobs_free(f->blobs);
	arena_free(f->arena);
	close(f->fd);
	test_folder_remove(f->dir);
	free(f);
	return 0;
}

static inline struct tree_node take(const struct fixture *f, const char *path,
                                    const struct ingest_options *options)
{
	struct tree_node node = { 0 };
	struct err err = ERR_INIT;

	must(ingest_node(f->blobs, f->arena, f->fd, path, options, &node, &err), &err);
	return node;
}

static inline void assert_refused(const struct fixture *f, const char *path,
                                  const struct ingest_options *options, const char *part,
                                  const char *other_part)
{
	struct tree_node node = { .name = "untouched" };
	struct err err = ERR_INIT;

	assert_int_equal(ingest_node(f->blobs, f->arena, f->fd, path, options, &node, &err), -1);
	assert_int_equal(err.code, options->blame ? options->blame : ERR_STAGE);
	assert_contains(err.cause, part);
	assert_contains(err.cause, other_part);
	assert_string_equal(node.name, "untouched");
}

static inline struct tree_node find(const struct fixture *f, const struct tree_node *root,
                                    const char *path)
{
	struct tree_node node = { 0 };
	struct err err = ERR_INIT;

	must(place_find(f->blobs, f->arena, &root->ref, path, &node, &err), &err);
	return node;
}

static inline bool has(const struct fixture *f, const struct tree_node *root, const char *path)
{
	struct tree_node node;
	struct err err = ERR_INIT;
	int rc = place_find(f->blobs, f->arena, &root->ref, path, &node, &err);

	assert_true(rc >= 0);
	return rc == 0;
}

/* A folder "src" with some of everything. */
static inline void make_source(const struct fixture *f)
{
	test_write(f->fd, "src/run.sh", "#!/bin/sh\n", 0700);
	test_write(f->fd, "src/data", "data", 0640);
	test_write(f->fd, "src/group-exec", "x", 0610);
	test_write(f->fd, "src/deep/er/file", "deep", 0644);
	test_write(f->fd, "src/new\nline \"quoted\" é", "n", 0644);
	assert_int_equal(mkdirat(f->fd, "src/void", 0700), 0);
	assert_int_equal(symlinkat("../nowhere", f->fd, "src/deep/dangling"), 0);
	assert_int_equal(symlinkat("/etc", f->fd, "src/etc"), 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

#endif
