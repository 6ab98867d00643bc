#ifndef KILN_IMAGE_TREE_H
#define KILN_IMAGE_TREE_H

#include <stdint.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/map.h"
#include "base/str.h"

/*
 * The identity of an image: the SHA-256 of its manifest, a text with one line for each node, sorted
 * by path as bytes, after the first line "kiln.image.manifest/1":
 *   d MODE UID GID PATH
 *   f MODE UID GID SHA256 SIZE PATH
 *   l 0777 UID GID TARGET PATH
 * MODE is four octal digits; in PATH and TARGET bytes up to and including the blank, the backslash,
 * and 0x7f are \xHH. The root itself, devices, times and extended attributes are not part of it;
 * a second name of a file is a file.
 */
struct image_node {
	char *path;
	char kind; /* 'd', 'f', 'l' */
	uint32_t mode;
	int64_t uid, gid;
	struct blob_ref ref; /* files */
	char *target;        /* links */
};

struct image_tree {
	ARRAY(struct image_node) nodes;
	struct map *paths; /* path → place in nodes + 1, as a pointer */
};

void image_tree_init(struct image_tree *tree);
void image_tree_deinit(struct image_tree *tree);
/* Adds a node, or returns the one that has the path (its content is then replaced by the caller). */
struct image_node *image_tree_add(struct image_tree *tree, const char *path, char kind);
struct image_node *image_tree_find(const struct image_tree *tree, const char *path);
/* Sorts and writes; the tree takes no more nodes afterwards. */
void image_tree_manifest(struct image_tree *tree, struct buf *buf);
/* Writes a tree whose nodes are sorted. */
void image_tree_text(const struct image_tree *tree, struct buf *buf);

/*
 * Reads a manifest into an initialised tree. ERR_INPUT where it is not exactly what
 * image_tree_manifest would write for it; `what` names it.
 */
int image_tree_parse(struct image_tree *tree, struct str text, const char *what, struct err *err);

/* What becomes of an entry of the archive on its way into the image. */
enum image_rule {
	IMAGE_KEEP,
	IMAGE_DROP, /* varies with machine, mirror or time, or is laid over by the sandbox */
};
enum image_rule image_rule_for(const char *path);

/* Nodes that every image has, whatever the packages brought: NULL-ended by path. */
struct image_fixed {
	const char *path;
	const char *text; /* NULL: a folder */
};
extern const struct image_fixed image_fixed[];

#endif
