#ifndef KILN_EXEC_LAYERS_H
#define KILN_EXEC_LAYERS_H

#include "base/array.h"
#include "store/trees.h"

/*
 * Large folders of a stage's inputs that are not copied into its work folder: they are trees of the store
 * (store/trees.h), each seen through an overlay whose upper lies beside the work folder. Of a work folder
 * (exec/work.h), build/NAME is where it is seen, and over/NAME/upper what the stage changed.
 *
 * In the process that mounts them, paths lead into the overlays, and descriptors that were opened before do
 * not: they are of another mount namespace.
 */
struct layer {
	char *name; /* of a folder directly below build/ */
	struct blob_ref directory;
	struct tree_use tree;
	char *at; /* absolute; NULL: not mounted */
};

struct layers {
	const char *store_dir; /* absolute; NULL: there are none, everything is copied */
	enum { LAYERS_UNKNOWN, LAYERS_WORK, LAYERS_FAIL } works; /* by probe, when one is wanted */
	ARRAY(struct layer) list;
	bool entered; /* this process is in a mount namespace of its own for them */
};

/* From how many files and links on a folder is large: tests set it lower. */
#define LAYERS_FROM "KILN_LAYERS_FROM"

/* Whether a folder is to be left out of what is laid out, because it is a layer now. `over` is the absolute
 * path of a folder for the probe. */
bool layers_take(struct layers *layers, const char *over, struct blobs *blobs,
                 const struct tree_node *folder, const struct checkout_options *options);

/* Mounts them all below `build`, the folders for it are there, with uppers in `over`; both absolute. What
 * cannot be mounted is copied. */
int layers_mount(struct layers *layers, const char *build, const char *over, struct blobs *blobs,
                 const struct checkout_options *options, struct err *err);

/* Makes plain folders of them, as the stage left them: another process sees no overlay. Fails where a disk is
 * nearly full. */
int layers_flatten(struct layers *layers, const char *over, struct err *err);

/* Unmounts them and lets the trees go. */
void layers_end(struct layers *layers);

#endif
