#ifndef KILN_EXTERNAL_GIT_H
#define KILN_EXTERNAL_GIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/array.h"
#include "base/err.h"

/*
 * Repositories, by git's own client and its plumbing (git-rev-parse(1), git-ls-tree(1),
 * git-ls-files(1), git-cat-file(1)): worktrees, alternates, packed and shallow repositories are its
 * business. Nothing is written and nothing is fetched. Content is what is committed, byte for byte: no
 * filter and no conversion of line ends, which hang on the user's configuration.
 */
struct git_repo {
	char *top;    /* the work tree's folder, absolute */
	char *dir;    /* the .git folder of this worktree, absolute */
	char *common; /* the one that all worktrees share, absolute */
	char *head;   /* the commit, hex; NULL: nothing is committed yet */
	int64_t time; /* when it was committed, seconds since 1970; 0 without a commit */
	bool shallow; /* history was cut off */
};

/* The repository that a folder lies in. Returns 0, or GIT_NONE where it lies in none. No git is
 * ERR_MACHINE; a repository that git refuses (another owner's, broken) is ERR_INPUT with git's words. */
enum { GIT_NONE = 1 };
int git_open(const char *dir, struct git_repo *ret, struct err *err);
void git_close(struct git_repo *repo);

/* Whether its configuration names files that change its answers: included ones, or attributes. Returns 0 or
 * GIT_NONE. */
int git_names_files(const struct git_repo *repo, struct err *err);
/* How many tracked files differ from the commit, and the name of one (caller frees; NULL: none). */
int git_changed(const struct git_repo *repo, size_t *ret_n, char **ret_first, struct err *err);

/* The first file at or below one of the paths (absolute, ended by NULL) that is not tracked, ignored or
 * not; caller frees. NULL: there is none, or there is nothing. */
int git_untracked(const struct git_repo *repo, const char *const *paths, char **ret_first,
                  struct err *err);
/* All tags, one a line; caller frees. */
int git_tags(const struct git_repo *repo, char **ret, struct err *err);
/* Tags that match a glob and lie on a commit ("HEAD"), one a line; caller frees. "" is none. A glob
 * does not begin with a dash. */
int git_tags_at(const struct git_repo *repo, const char *commit, const char *glob, char **ret,
                struct err *err);
/* The nearest tag behind HEAD that matches a glob, and how many commits lie between. Returns 0, or
 * GIT_NONE where there is none. Caller frees. */
int git_nearest_tag(const struct git_repo *repo, const char *glob, char **ret_tag,
                    unsigned long *ret_distance, struct err *err);

/* How many commits lead to HEAD. */
int git_count(const struct git_repo *repo, unsigned long *ret, struct err *err);

/* One tracked file: git's mode (0100644, 0100755, 0120000 a link, 0160000 a submodule). */
struct git_entry {
	char *path;
	unsigned int mode;
	char *id; /* of the blob, or of the submodule's commit; hex */
};

struct git_entries {
	ARRAY(struct git_entry) list; /* sorted by path, bytewise */
};

void git_entries_deinit(struct git_entries *entries);
/* What a commit holds, or, with NULL, what is tracked now. Submodules are entries of their own. */
int git_list(const struct git_repo *repo, const char *commit, struct git_entries *ret,
             struct err *err);
/* Writes the objects to a descriptor, in order, as `git cat-file --batch` does:
 * "ID TYPE SIZE\n", SIZE bytes, "\n". One that is missing (a partial clone) is "ID missing\n". */
int git_cat(const struct git_repo *repo, const struct git_entry *const *entries, size_t n, int fd,
            struct err *err);

#endif
