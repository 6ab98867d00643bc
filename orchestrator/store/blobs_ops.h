#ifndef KILN_STORE_BLOBS_OPS_H
#define KILN_STORE_BLOBS_OPS_H

#include "store/blobs.h"

/*
 * What a backend of blobs does. Each backend's struct begins with a `struct blobs`. A new backend is
 * one file with one table, and a row in the contract test (tests/unit/store/test_blobs.c).
 */
struct blobs_ops {
	const char *name;
	/* Takes n bytes whose digest and size are *ref. */
	int (*put)(struct blobs *blobs, const void *p, size_t n, const struct blob_ref *ref,
	           struct err *err);
	int (*put_fd)(struct blobs *blobs, int fd, const char *what, struct blob_ref *ret,
	              struct err *err);
	/* With `deep` the content is read and hashed, else only when its stamp is a strange one. */
	bool (*has)(struct blobs *blobs, const struct blob_ref *ref, bool deep);
	/* Fills in the size of the blob of ret->digest; false where there is none. */
	bool (*find)(struct blobs *blobs, struct blob_ref *ret);
	/* Calls back for every blob, in no order, with what it takes on the disk. */
	int (*walk)(struct blobs *blobs, blobs_visit_fn visit, void *data, struct err *err);
	/* Takes one away; what is not there is fine. */
	int (*remove)(struct blobs *blobs, const struct digest *digest, struct err *err);
	int (*read)(struct blobs *blobs, const struct blob_ref *ref, struct buf *buf,
	            struct err *err);
	int (*open_fd)(struct blobs *blobs, const struct blob_ref *ref, int *ret_fd,
	               struct err *err);
	/* These four, or none of them: blobs that are no files are neither moved nor shared. */
	bool (*movable)(struct blobs *blobs, int fd, const struct stat *st);
	int (*move)(struct blobs *blobs, int dir, const char *name, const struct stat *st,
	            const struct blob_ref *ref, struct err *err);
	size_t (*descriptors)(const struct blobs *blobs, int fds[BLOBS_FDS]);
	void (*forked)(struct blobs *blobs);
	void (*free)(struct blobs *blobs);
};

/* What to do about a store that cannot be written, as a hint. Returns -1. */
int store_hint(struct err *err);

struct listings;

struct blobs {
	const struct blobs_ops *ops;
	bool paranoid; /* nothing is trusted for its stamp */
	struct listings
		*listings; /* directories that were looked into (directory.c); NULL: none yet */
};

#endif
