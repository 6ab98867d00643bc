#ifndef KILN_EXEC_WORKSHOP_H
#define KILN_EXEC_WORKSHOP_H

#include <stdbool.h>
#include <sys/types.h>

#include "exec/work.h"
#include "sandbox/group.h"
#include "sandbox/spec.h"
#include "store/blobs.h"

/*
 * What one process has for all actions that it carries out, one after the other: a place to work in, the
 * store's blobs, and mounts for the build user. Folder and blobs are opened with the first.
 */
struct workshop {
	char *store_dir; /* whose they are; NULL: none yet */
	struct work_place place;
	struct blobs *blobs;
	struct sandbox_common common;
	struct groups *groups; /* borrowed; may be NULL */
	struct group group;    /* of them, taken with the first stage */
	bool spent;            /* it serves no other action */
	pid_t self;
};

struct workshop *workshop_new(struct groups *groups);
/* Removes the place. */
struct workshop *workshop_free(struct workshop *shop);

/* Opens a store's blobs, where they are not open yet: another store comes with another executor. */
int workshop_use_store(struct workshop *shop, const char *store_dir, struct err *err);
/* Opens them anew, after this process has entered another mount namespace: what is opened in one is not moved
 * to another. */
int workshop_open_again(struct workshop *shop, struct err *err);
/* Makes the place in that store, where there is none yet. */
int workshop_open_place(struct workshop *shop, struct err *err);

#endif
