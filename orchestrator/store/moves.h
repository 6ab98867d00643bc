#ifndef KILN_STORE_MOVES_H
#define KILN_STORE_MOVES_H

#include <sys/stat.h>

#include "base/array.h"
#include "store/blobs.h"

/*
 * Large files that an ingest hashed where they lie (ingest_options.moves). They become blobs by a new
 * name in place of a copy, once all else is known to be good: until then nothing was taken away from
 * the folder, so that one that turns out bad can be kept whole.
 */
struct move {
	char *path;     /* below the ingest's dirfd */
	struct stat st; /* when it was hashed */
	struct blob_ref ref;
};

struct moves {
	ARRAY(struct move) list;
};

void moves_deinit(struct moves *moves);
/*
 * Moves all of them, and copies those that cannot be moved after all. A file that has another content
 * now is ERR_STAGE.
 */
int moves_carry_out(const struct moves *moves, struct blobs *blobs, int dirfd, struct err *err);

#endif
