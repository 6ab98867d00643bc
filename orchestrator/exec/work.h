#ifndef KILN_EXEC_WORK_H
#define KILN_EXEC_WORK_H

#include "base/err.h"
#include "model/action.h"
#include "store/blobs.h"

/*
 * The folder of one running action, STORE/work/<pid>-<n>/: build/ is what the stage sees at /build;
 * its streams are nameless files beside it. The folder is locked while the runner lives, so that a
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
};

#define WORK_INIT ((struct work){ -1, NULL, -1, -1, NULL, -1, -1, 0, 0 })

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
 * those that its outputs lie in. All belong to the build user. */
int work_make_folders(struct work *work, const struct action *action, struct err *err);
int work_lay_out(struct work *work, struct blobs *blobs, const struct action *action, int64_t epoch,
                 struct err *err);

#endif
