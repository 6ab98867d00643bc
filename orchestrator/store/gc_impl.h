#ifndef KILN_STORE_GC_IMPL_H
#define KILN_STORE_GC_IMPL_H

#include "base/array.h"
#include "store/gc.h"
#include "store/store_impl.h"

/* A collection in progress, for its files. */
struct held {
	uint64_t disk;
	size_t holders[2]; /* by enum closure_how; a directory holds what is below it, once */
};

enum item_kind { ITEM_RESULT, ITEM_FACT, ITEM_IMAGE };

struct item {
	enum item_kind kind;
	struct digest action; /* RESULT */
	char *key, *name;     /* FACT: its kind and name */
	struct gc_image *image;
	int64_t used; /* seconds since 1970 */
	bool first;   /* no use of it was ever noted: it counts as used now */
	bool needed, goes;
};

struct collector {
	struct store *store;
	const struct gc_request *request;
	struct gc_outcome *outcome;
	struct map *blobs; /* digest → struct held */
	ARRAY(struct item) items;
	struct map *going; /* actions whose results go */
	int64_t now;       /* seconds since 1970 */
	bool letting_go;
	uint64_t bytes; /* held, and images that stay */
};

/* Every blob, result, fact and image, each with when it was used last. */
int gc_list(struct collector *c, struct err *err);
/* Takes hold of what every item names: first for what must stay. */
int gc_hold_all(struct collector *c, struct err *err);
/* Lets go of what an item names. */
int gc_let_go(struct collector *c, const struct item *item, struct err *err);
/* What has no time of its own: logs of failures, and documents that the origins of what stays name. */
int gc_hold_others(struct collector *c, struct err *err);
/* What the use of a fact or an image is noted under; caller frees. */
char *gc_use_name(const struct item *item);

#endif
