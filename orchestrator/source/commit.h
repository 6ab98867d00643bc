#ifndef KILN_SOURCE_COMMIT_H
#define KILN_SOURCE_COMMIT_H

#include "external/git.h"
#include "source/fetcher.h"

/*
 * The tree of a commit, with its submodules' and with what Git LFS keeps aside. `keep` says of each
 * path whether it belongs to the source. Remembered in the store by commit and exclusions: a commit
 * is not read twice.
 */
typedef bool (*commit_keep_fn)(const void *data, const char *path);

int commit_tree(const struct fetch *fetch, const struct git_repo *repo, const json_t *exclude,
                commit_keep_fn keep, const void *data, struct tree_node *ret, struct err *err);

/*
 * Content that is a pointer of Git LFS (git-lfs/docs/spec.md) becomes what it points to: *ref is
 * changed. What it points to is not there: ERR_INPUT naming `path` and the line to type.
 */
int commit_follow_pointer(const struct fetch *fetch, const struct git_repo *repo, const char *path,
                          struct blob_ref *ref, struct err *err);

/* The repository of a submodule at a path of its parent. One that was not brought in is ERR_INPUT
 * with the line to type. */
int commit_open_submodule(const struct fetch *fetch, const struct git_repo *parent,
                          const char *path, struct git_repo *ret, struct err *err);

#endif
