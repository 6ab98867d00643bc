#ifndef KILN_SOURCE_UNPACK_H
#define KILN_SOURCE_UNPACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/array.h"
#include "base/err.h"

/*
 * Writes a tree below a folder, entry by entry, as an archive's stream brings it. Paths are tree
 * paths; no path is followed through a symlink, whatever the archive planted. Missing folders on
 * the way are made; a later entry replaces an earlier one (a folder stays). Files are 0644 or 0755,
 * folders 0755.
 */
struct unpacker {
	int root;         /* borrowed */
	int64_t uid, gid; /* owner of everything; -1: leave */
	int64_t mtime;    /* of everything, seconds */
	char *parent;     /* the folder last used and its descriptor */
	int parent_fd;
	ARRAY(char *) dirs; /* made here; their times are set at the end */
};

void unpacker_init(struct unpacker *unpacker, int root, int64_t uid, int64_t gid, int64_t mtime);
void unpacker_deinit(struct unpacker *unpacker);

int unpacker_dir(struct unpacker *unpacker, const char *path, struct err *err);
/* Opens a new file for writing; close it with unpacker_close_file. */
int unpacker_open_file(struct unpacker *unpacker, const char *path, bool executable, int *ret_fd,
                       struct err *err);
int unpacker_close_file(struct unpacker *unpacker, const char *path, int fd, struct err *err);
int unpacker_link(struct unpacker *unpacker, const char *path, const char *target, struct err *err);
/* A second name of an earlier file. */
int unpacker_hard_link(struct unpacker *unpacker, const char *path, const char *target,
                       struct err *err);
/* Sets the times of the folders: the last step. */
int unpacker_finish(struct unpacker *unpacker, struct err *err);

#endif
