#ifndef KILN_STORE_BLOBS_H
#define KILN_STORE_BLOBS_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"

/*
 * Content by SHA-256: read-only files blobs/ab/cdef…, written by temporary file and rename. Safe
 * for many processes at once, and usable in a forked runner (no database in here). A missing,
 * short or corrupt blob is a miss, never an error; a corrupt one is removed when it is seen, so
 * that it can be written again. Writing a blob that is there already does nothing.
 *
 * When a blob is in place its mtime is one fixed stamp. A file with that stamp and the right size
 * is trusted; with another one it is hashed first. Nothing is fsynced here: see store.h.
 */
struct blobs;

/* Outcome: no such blob. */
enum { BLOBS_MISS = 1 };

/* For callers that cannot go on without it: sets ERR_IO "… is missing from the store". */
int blobs_miss(const struct blob_ref *ref, const char *what, struct err *err);
/* Whether that is what an error says, also one that a runner gave. */
bool blobs_is_miss(const struct err *err);

/* Opens (and makes) STORE_DIR/blobs. In-memory blobs for tests: blobs_new_memory(). */
int blobs_open(const char *store_dir, struct blobs **ret, struct err *err);
struct blobs *blobs_new_memory(void);
/* Those, but what is put is not kept: it has a digest, and that is all. `blobs` outlives it. */
struct blobs *blobs_unkept(struct blobs *blobs);
struct blobs *blobs_free(struct blobs *blobs);
DEFINE_CLEANUP(struct blobs, blobs)
#define _cleanup_blobs_ _cleanup_(blobs_cleanup)

/* From now on every blob is hashed when it is handed out, whatever its stamp says. */
void blobs_set_paranoid(struct blobs *blobs);

int blobs_put(struct blobs *blobs, const void *p, size_t n, struct blob_ref *ret, struct err *err);
/* Takes a file from fd's position to its end, hashing on the way. */
int blobs_put_fd(struct blobs *blobs, int fd, const char *what, struct blob_ref *ret,
                 struct err *err);
/*
 * Taking a file away in place of copying it. First, before it is hashed, whether that can be: it is
 * large, on the store's file system, has no other link, no extended attribute and nothing set aside
 * behind its end, and nobody has it open for writing. Then, once it was hashed: gives it the store's
 * owner, a blob's mode and stamp, and the blob's name. Returns 0, or BLOBS_STAYS when it is another file by now or
 * the system does not let it: the caller copies what is there.
 */
enum { BLOBS_STAYS = 1 };
bool blobs_movable(struct blobs *blobs, int fd, const struct stat *st);
int blobs_move(struct blobs *blobs, int dirfd, const char *name, const struct stat *st,
               const struct blob_ref *ref, struct err *err);
/*
 * For forked children that are to write blobs: the descriptors that they keep open. Returns how many,
 * 0 where children cannot share these blobs. A child calls blobs_forked before anything else, and
 * blobs_free at its end.
 */
enum { BLOBS_FDS = 2 };
size_t blobs_descriptors(const struct blobs *blobs, int fds[BLOBS_FDS]);
void blobs_forked(struct blobs *blobs);
/* Whether it is there with that size. */
bool blobs_has(struct blobs *blobs, const struct blob_ref *ref);
/* The same, but reads and hashes it whatever its stamp says. */
bool blobs_verify(struct blobs *blobs, const struct blob_ref *ref);
/* For whoever knows the digest only: fills in ret->size; false where there is no such blob. */
bool blobs_find(struct blobs *blobs, struct blob_ref *ret);
/* Calls back for every blob, in no order; `disk` is what it takes there, in bytes. */
typedef int (*blobs_visit_fn)(void *data, const struct blob_ref *ref, uint64_t disk,
                              struct err *err);
int blobs_walk(struct blobs *blobs, blobs_visit_fn visit, void *data, struct err *err);
/* Takes one away, for a collection alone: nobody may work with the store. */
int blobs_remove(struct blobs *blobs, const struct digest *digest, struct err *err);
/* Appends it whole, its hash checked; larger than buf->limit is an error. Returns 0 or BLOBS_MISS. */
int blobs_read(struct blobs *blobs, const struct blob_ref *ref, struct buf *buf, struct err *err);
/* Opens for reading. Returns 0 or BLOBS_MISS. */
int blobs_open_fd(struct blobs *blobs, const struct blob_ref *ref, int *ret_fd, struct err *err);

#endif
