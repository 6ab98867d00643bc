#ifndef KILN_STORE_BLOBS_FOLDER_IMPL_H
#define KILN_STORE_BLOBS_FOLDER_IMPL_H

#include "external/crypto.h"
#include "host/tmpfile.h"
#include "store/blob_file.h"
#include "store/blobs_ops.h"

/* Inside of blobs that are files, for the files of this backend alone. */
enum {
	/* Files smaller than this are hashed in memory before anything is written. */
	BLOB_CHUNK = 256 << 10,
};

struct folder_blobs {
	struct blobs base;
	char *store_dir;
	int fd;                /* STORE/blobs */
	int tmp_fd;            /* STORE/tmp */
	struct tmpdir scratch; /* in it, made when first needed; name is NULL before */
	pid_t scratch_pid;     /* whose it is */
	unsigned int counter;  /* names of temporary files in it */
	struct hasher *hasher;
	char *chunk; /* BLOB_CHUNK bytes */
};

/* errno as an error of writing to the store. */
int folder_cannot_write(const struct folder_blobs *folder, struct err *err);
/* Gives the open file `name` of `dir` the stamp of a blob and its name. -1: errno says why not. */
int folder_give_name(struct folder_blobs *folder, int fd, int dir, const char *name,
                     const struct digest *digest);
/* The operations of blobs_folder_move.c. */
bool folder_movable(struct blobs *blobs, int fd, const struct stat *st);
int folder_move(struct blobs *blobs, int dir, const char *name, const struct stat *st,
                const struct blob_ref *ref, struct err *err);

#endif
