#ifndef KILN_MODEL_TREE_H
#define KILN_MODEL_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/str.h"

/*
 * Trees of content. A node is a file (content, executable bit), a directory (may be empty) or a
 * symlink (text, never followed). A directory's identity is the SHA-256 of its encoded Directory
 * message (Remote Execution API v2): names sorted by bytes, so equal trees have equal digests.
 */
enum node_kind { NODE_FILE = 0, NODE_DIR = 1, NODE_LINK = 2 };

struct tree_node {
	const char *name; /* one path part; "" where the node stands alone */
	enum node_kind kind;
	bool executable;     /* files */
	struct blob_ref ref; /* files: content; directories: the encoded Directory */
	const char *target;  /* symlinks */
};

/* One directory, decoded. Nodes are sorted by name, whatever their kind. */
struct tree_dir {
	struct tree_node *nodes;
	size_t n;
};

/* Encodes (sorts the nodes in place first). A clash of names is a bug. */
void tree_dir_encode(struct tree_dir *dir, struct buf *buf);
/* Decodes into the arena; refuses unsorted, duplicate or malformed names (ERR_IO: corrupt). */
int tree_dir_decode(struct arena *arena, struct str bytes, struct tree_dir *ret, struct err *err);
/*
 * Two directories side by side: every name that is in one of them or in both, in order. Starts as { a, b }.
 */
struct tree_pair {
	const struct tree_dir *a, *b; /* sorted; borrowed */
	size_t at_a, at_b;
};
/* The next name, or NULL at the end. A node is NULL where its directory has none of that name. */
const char *tree_pair_next(struct tree_pair *pair, const struct tree_node **ret_a,
                           const struct tree_node **ret_b);
/*
 * A directory as its bytes, where single names of it are asked for and there may be 100,000. That all names
 * are in order is looked at at once, the rest of a node when it is asked for; that the encoding is the
 * canonical one, only decoding it says.
 */
struct tree_index {
	struct str bytes; /* borrowed */
	uint32_t *at;     /* where each node begins in it, in the message's order */
	size_t end[3];    /* by kind of node: behind its last one */
};

/* Decodes no node. The index lies in the arena. ERR_IO: corrupt, or names are out of order. */
int tree_index_read(struct arena *arena, struct str bytes, struct tree_index *ret, struct err *err);
/* The node of a name, its strings in the arena. Returns 0 or TREE_LACKS; ERR_IO: it is malformed. */
enum { TREE_LACKS = 1 };
int tree_index_find(const struct tree_index *index, struct arena *arena, struct str name,
                    struct tree_node *ret, struct err *err);

/* The digest of the directory without entries. */
void tree_empty_ref(struct blob_ref *ret);

#endif
