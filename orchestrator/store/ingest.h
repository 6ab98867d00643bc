#ifndef KILN_STORE_INGEST_H
#define KILN_STORE_INGEST_H

#include <sys/stat.h>

#include "store/place.h"

/* What remembers the digests of files by their stamps (the store's stat cache does). */
struct ingest_stamps {
	/* True, and the content, when a file with these stamps is known and its blob is there. */
	bool (*find)(struct ingest_stamps *stamps, const struct stat *st, struct blob_ref *ret);
	/* A file had these stamps and was hashed; reading began at `began_us` (the real clock: the files' own). */
	void (*note)(struct ingest_stamps *stamps, const struct stat *st, int64_t began_us,
	             const struct blob_ref *ref);
	/* A folder, by its path below what is taken, before it is listed; then all of its entries that
	 * are no folders. */
	void (*folder)(struct ingest_stamps *stamps, const char *path, const struct stat *st);
	void (*entry)(struct ingest_stamps *stamps, const char *name, const struct stat *st);
};

/* ingest_node with a stat cache (NULL for none). */
int ingest_node_with(struct blobs *blobs, struct arena *arena, int dirfd, const char *path,
                     const struct ingest_options *options, struct ingest_stamps *stamps,
                     struct tree_node *ret, struct err *err);

#endif
