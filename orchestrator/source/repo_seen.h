#ifndef KILN_SOURCE_REPO_SEEN_H
#define KILN_SOURCE_REPO_SEEN_H

#include "external/git.h"
#include "store/store.h"

/*
 * What git's answers hang on besides the tracked files, for a snapshot where one is in the making: all that a
 * repository says of its history, its tags and what is tracked lies in its own files, which git replaces by
 * others, so that the folder shows it (gitrepository-layout(5)); and what configuration says. There is none
 * of a linked worktree, which has two such folders, or where files elsewhere are named.
 */
void repo_saw(struct store *store, const struct git_repo *repo);

#endif
