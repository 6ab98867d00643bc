#ifndef KILN_EXEC_WORK_H
#define KILN_EXEC_WORK_H

#include "base/err.h"
#include "exec/layers.h"
#include "model/action.h"
#include "store/blobs.h"

/*
 * The folder of one running action, STORE/work/<pid>-<n>/: build/ is what the stage sees at /build;
 * its streams are nameless files beside it, and over/ holds what it changed in layers. The folder is locked while the runner lives, so that a
 * sweep can tell it from what a killed one left.
 */
struct work {
	int parent_fd; /* STORE/work */
	char *name;    /* <pid>-<n> */
	int fd;        /* the folder, locked */
	int build_fd;
	char *build_path; /* absolute */
	int out_file, log_file;
	int64_t epoch;  /* mtime of all that was laid out */
	uint64_t bytes; /* of all files that were laid out */
	struct layers layers;
};

#define WORK_INIT                                                                                  \
	((struct work){ .parent_fd = -1,                                                           \
	                .fd = -1,                                                                  \
	                .build_fd = -1,                                                            \
	                .out_file = -1,                                                            \
	                .log_file = -1 })

int work_init(struct work *work, const char *store_dir, struct err *err);
/* Closes all of it and removes the folder. */
void work_deinit(struct work *work);

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
