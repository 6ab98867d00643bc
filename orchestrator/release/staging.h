#ifndef KILN_RELEASE_STAGING_H
#define KILN_RELEASE_STAGING_H

#include <stdbool.h>

#include "base/err.h"
#include "host/tmpfile.h"

/*
 * A folder written aside and put in place whole: PARENT/.NAME.<pid>-<n> until then. What killed
 * processes left behind is swept when the next one starts.
 */
struct staging {
	char *parent, *name; /* of the folder to be */
	int parent_fd;
	struct tmpdir dir; /* dir.fd: where the files go */
};

int staging_init(struct staging *staging, const char *path, struct err *err);
/* Removes what killed processes left that were to put a folder in that place. */
void staging_sweep(const char *path);
/* Removes what was not put in place. */
void staging_deinit(struct staging *staging);
/* Outcome: there is one already, and nothing was put in place. */
enum { STAGING_TAKEN = 1 };

/*
 * Puts the folder in place, durably. Where one is already, `replace` swaps the two and removes the
 * old one; without it that is STAGING_TAKEN. An empty folder in the way is fine.
 */
int staging_commit(struct staging *staging, bool replace, struct err *err);

#endif
