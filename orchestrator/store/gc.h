#ifndef KILN_STORE_GC_H
#define KILN_STORE_GC_H

#include "base/map.h"
#include "store/store.h"

/*
 * Taking away what nobody needs: blobs that nothing names always; results, facts and images that were
 * not used for long, or as many of those used longest ago as a budget asks. What locks and releases
 * name stays, whatever its age. It works alone in the store, so what a running process needs is safe.
 */
struct gc_image {
	struct digest tree;
	uint64_t bytes;    /* of its unpacked folder */
	const char *about; /* a text with the digests of its packages */
	bool goes;         /* filled in: the caller removes the folder, when this has returned */
};

struct gc_request {
	int64_t budget;      /* bytes that may stay; -1: any number */
	int64_t used_before; /* what was not used after this time, seconds since 1970, goes; 0: none */
	const struct map *needed; /* digests (gc_need) that must stay */
	struct gc_image *images;
	size_t n_images;
	bool dry; /* only says what it would do */
};

struct gc_amount {
	size_t n;
	uint64_t bytes; /* on the disk */
};

struct gc_outcome {
	struct gc_amount blobs, images; /* before */
	struct gc_amount blobs_gone, images_gone;
	size_t n_results, n_facts; /* before */
	size_t n_results_gone, n_facts_gone;
	uint64_t needed; /* bytes of what locks and releases name */
};

/* Adds every digest that stands in a text (64 hexadecimal digits) to a set. */
void gc_need(struct map *needed, const char *text, size_t n);

/* Waits until no other process works in the store; a dry one does not. */
int store_gc(struct store *store, const struct gc_request *request, struct gc_outcome *ret,
             struct err *err);

/* Folders beside blobs and images: large inputs, what failures left, builds by increments. */
void store_count_folders(struct store *store, struct gc_amount *ret);

struct fsck_outcome {
	struct gc_amount blobs;   /* read and hashed */
	struct gc_amount corrupt; /* dropped: their content is not what their name says */
	size_t n_results;         /* looked at */
	size_t n_forgotten;       /* results that named what is not there */
};

/*
 * Hashes every blob, drops those that are not what they say, and forgets results whose content is not
 * there, so that they are made anew. A database that is damaged is ERR_IO. Waits like store_gc.
 */
int store_fsck(struct store *store, struct fsck_outcome *ret, struct err *err);

#endif
