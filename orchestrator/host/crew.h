#ifndef KILN_HOST_CREW_H
#define KILN_HOST_CREW_H

#include <stddef.h>

#include "base/err.h"

/*
 * Work that forked children share. It is cut into claims, numbers from 0 up, and each claim is one
 * child's. No thread and no protocol: what there is to do is known before the fork, and what came of
 * it is written to memory from crew_share. A child has no descriptor but those named, does not hear
 * the terminal, and dies with its parent.
 */
struct crew_spec {
	const char *what; /* for messages: what the children do, "hashing src" */
	size_t n_children; /* fewer than two: the caller's process does it all, without begin and end */
	size_t n_claims;
	const int *keep_fds;
	size_t n_keep_fds;
	void (*begin)(void *data); /* in each child, once its descriptors are closed */
	int (*work)(void *data, size_t claim, struct err *err);
	void (*end)(void *data); /* in each child that was not killed */
	void *data;
};

/* After an error no more claims are given out. Of several errors it is that of the lowest claim. */
int crew_run(const struct crew_spec *spec, struct err *err);

/* The processors that this process may use, at least one. */
size_t crew_processors(void);

/* Zeroed memory that stays common to this process and what it forks; for crew_unshare. */
int crew_share(size_t size, void **ret, struct err *err);
void crew_unshare(void *p, size_t size); /* NULL is fine */

#endif
