#ifndef KILN_BASE_PATH_H
#define KILN_BASE_PATH_H

#include <stdbool.h>

/*
 * Paths as text. A *tree path* is relative, '/'-separated, without empty, "." or ".." parts and
 * without NUL; "" names the root of a tree. Every path that a recipe, an archive or a build names
 * is checked to be one before it is used.
 */
bool path_is_tree(const char *path);
/* Why a path is no tree path ("is absolute", "has a '..' part", …), or NULL when it is one. */
const char *path_tree_fault(const char *path);
/* dir + '/' + name with one slash; an absolute name or an empty dir gives name. Caller frees. */
char *path_join(const char *dir, const char *name);
/* The part behind the last '/'. Points into path. */
const char *path_base(const char *path);
/* The part before the last '/', "." where there is none, "/" at the root. Caller frees. */
char *path_dir(const char *path);
/* Whether `path` is `dir` or lies below it; both tree paths. */
bool path_is_below(const char *path, const char *dir);
/* Whether a symlink at tree path `at` with text `target` points out of its tree (textually). */
bool path_link_leaves(const char *at, const char *target);

#endif
