#ifndef KILN_EXEC_WORK_H
#define KILN_EXEC_WORK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "exec/layers.h"
#include "model/action.h"
#include "store/blobs.h"

/*
 * Where a runner works, STORE/work/<pid>-<n>/: one work folder after another stands in it. It is locked while
 * the runner lives, so that a sweep can tell it from what a killed one left.
 */
struct work_place {
	int parent_fd; /* STORE/work */
	char *name;    /* <pid>-<n>; NULL: none */
	int fd;        /* the folder, locked; the build user may go through it */
	char *path;    /* absolute */
};

#define WORK_PLACE_INIT ((struct work_place){ .parent_fd = -1, .fd = -1 })

int work_place_init(struct work_place *place, const char *store_dir, struct err *err);
/* Removes the folder with all that is in it. */
void work_place_deinit(struct work_place *place);

/*
 * The folder of one running action: build/ in a place is what the stage sees at /build, and over/ beside it
 * holds what it changed in layers.
 */
struct work {
	int fd;     /* the folder that build/ and over/ are in; -1: none */
	bool stays; /* they are not removed (exec/dev.h) */
	int build_fd;
	char *build_path; /* absolute */
	int64_t epoch;    /* mtime of all that was laid out */
	uint64_t bytes;   /* of all files that were laid out */
	struct layers layers;
};

#define WORK_INIT ((struct work){ .fd = -1, .build_fd = -1 })

/* The place is empty, and there until after work_deinit. */
int work_init(struct work *work, const struct work_place *place, struct err *err);
/* Closes all of it and removes what is in the place. False: something is left there. */
bool work_deinit(struct work *work);

/*
 * Keeps what the stage left as STORE/failed/<action>, to be looked at, in place of removing it; of
 * several only the last few stay. Never fails: then nothing is kept.
 */
void work_keep(struct work *work, const char *store_dir, const struct digest *action);
/* Where that is; caller frees. */
char *work_kept(const char *store_dir, const struct digest *action);

/* Lays the input tree out and makes the folders that the stage may count on: its working folder and
 * those that its outputs lie in. All belong to the build user. Where work->layers may have some, this process
 * is in another mount namespace afterwards. */
int work_make_folders(struct work *work, const struct action *action, struct err *err);
int work_lay_out(struct work *work, struct blobs *blobs, const struct action *action, int64_t epoch,
                 struct err *err);

#endif
