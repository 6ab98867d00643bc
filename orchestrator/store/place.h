#ifndef KILN_STORE_PLACE_H
#define KILN_STORE_PLACE_H

#include "base/arena.h"
#include "model/tree.h"
#include "store/blobs.h"

/*
 * Trees in the store: composing input roots out of placed nodes, looking into them, moving them
 * to and from a file system.
 */

/* Bytes of the longest path within a tree. */
enum { TREE_PATH_MOST = 4000 };

/* A node placed at a tree path ("" places a directory as the root, or merges under it). */
struct placement {
	const char *at;
	struct tree_node node;
};

/* Outcome: no such path in the tree. */
enum { PLACE_MISSING = 1 };

/*
 * Composes one tree. Placements are disjoint, or nested under a directory whose tree lacks the
 * name; an overlap is ERR_INPUT naming both. Directories on the way are made. Stores the new
 * Directory messages and returns the root.
 */
int place_compose(struct blobs *blobs, const struct placement *placements, size_t n,
                  struct blob_ref *ret_root, struct err *err);
/* The node at a tree path below a root; strings go to the arena. Returns 0 or PLACE_MISSING. */
int place_find(struct blobs *blobs, struct arena *arena, const struct blob_ref *root,
               const char *path, struct tree_node *ret, struct err *err);

/*
 * Writes a tree below an open folder: files 0644 or 0755 (writable, owned by the caller unless
 * `uid`/`gid` are not -1: then chowned), folders 0755, links as they are, every mtime `epoch`.
 * Copies content; the store's files never share an inode with the work folder.
 */
struct checkout_options {
	int64_t epoch;    /* SOURCE_DATE_EPOCH, seconds */
	int64_t ns;       /* … and nanoseconds, where it is another time than that */
	int64_t uid, gid; /* -1: leave */
	uint64_t *bytes;  /* the content of each file is counted there; NULL: nowhere */
	/* Says of each folder directly below the tree whether it is left empty; NULL: none is. */
	bool (*leave)(void *data, const struct tree_node *folder);
	void *leave_data;
};
int checkout_tree(struct blobs *blobs, const struct blob_ref *root, int dirfd,
                  const struct checkout_options *options, struct err *err);
/* Whether the file system of a folder clones files (FICLONE), so that what is laid out in it from there
 * takes neither time nor room; else content is copied. */
bool checkout_clones(int dirfd);
/* One node (file, folder or link) under `name` below dirfd. */
int checkout_node(struct blobs *blobs, const struct tree_node *node, int dirfd, const char *name,
                  const struct checkout_options *options, struct err *err);

/*
 * Takes a file, folder or link from below dirfd into the store. Owners, times, xattrs and mode
 * bits other than owner-execute are dropped; sockets, fifos, devices, setuid or setgid files and
 * names that are not UTF-8 are `blame` naming the path. `exclude` globs are relative to `path`; a
 * folder that matches is left out whole. No link is followed. Strings of the node go to the arena.
 * `path` "" is dirfd itself. Returns 0 or PLACE_MISSING.
 */
struct moves;
struct ingest_options {
	const char *const *exclude;
	size_t n_exclude;
	/* Says of each path below `path` whether it is taken; NULL: all are. A folder that is not is
	 * left out whole. */
	bool (*keep)(const void *data, const char *path);
	const void *keep_data;
	/* Large files are hashed where they lie and noted here, for moves_carry_out; their blobs are not
	 * there before. NULL: all are copied. */
	struct moves *moves;
	/* How many children may read when there is much to read, at most as many as there are
	 * processors; 0: so many. */
	size_t children;
	uint64_t *bytes;   /* the content of all files is counted there; NULL: nowhere */
	bool non_empty;    /* refuse an empty file, or a folder with no file or with an empty one */
	const char *shown; /* how messages call `path`; NULL: as it is */
	enum err_code blame; /* code for what the content does wrong; ERR_NONE: ERR_STAGE */
};
int ingest_node(struct blobs *blobs, struct arena *arena, int dirfd, const char *path,
                const struct ingest_options *options, struct tree_node *ret, struct err *err);

/* Calls back for each node below a root in sorted depth-first order; path is the tree path. */
typedef int (*tree_visit_fn)(void *data, const char *path, const struct tree_node *node,
                             struct err *err);
int tree_walk(struct blobs *blobs, const struct blob_ref *root, tree_visit_fn visit, void *data,
              struct err *err);

#endif
