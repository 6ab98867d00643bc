#ifndef KILN_SNAPSHOT_SNAPSHOT_H
#define KILN_SNAPSHOT_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"

/*
 * What a run that had nothing to do looked at, so that the next one need not think: if every file has
 * the stamps that it had, and what the run showed is still in the store, then there is nothing to do
 * again, and what was said can be said again. Nothing here needs more than the C library.
 *
 * STORE/snapshots/<name>, one a command line; the name is a hash of its key, and the whole key stands
 * inside. Numbers as they lie in memory: a snapshot is never read on another machine.
 *
 *   "kilnsnp2"  length  key  generation  time
 *   blocks of records, which can be looked at in any order; a record is a letter and what follows:
 *     D path stamps      a folder; entries of it follow
 *     E name stamps      a file or link in it
 *     F path stamps      a file by its whole path
 *     T path stamps      what a path leads to, through links
 *     K path kind        what stands there is a file, a folder, or nothing
 *     B digest size      a blob of the store
 *   what was said, in order: a struct snapshot_said before each text
 *   where each block begins, and where what was said does
 *   a struct snapshot_tail, and the sum that all kept files have
 *
 * A snapshot holds as long as the store's *generation*: a text that changes whenever something but a
 * look-up was done in the store, and is not there while it is.
 */
enum snapshot_kind { SNAPSHOT_NOTHING, SNAPSHOT_FILE, SNAPSHOT_FOLDER, SNAPSHOT_OTHER };

enum snapshot_kind snapshot_kind_of(const struct stat *st);

/* In front of a text that was said. */
struct snapshot_said {
	uint32_t fd, n; /* where to, and how many bytes */
};

/* From where each block begins to the next one, and so on to the tail, there is no byte that is not read:
 * what is missing from a file, or was changed, is not taken for a shorter list. */
struct snapshot_tail {
	uint32_t n_blocks, n_said; /* bytes */
};

#define SNAPSHOT_MAGIC "kilnsnp2"
/* Of a block: a millisecond's work. */
enum { SNAPSHOT_BLOCK = 2048 /* records */ };
/* A day, so that what is used is known as used; a clock that went back counts as more. */
enum { SNAPSHOT_SECONDS = 24 * 3600, SNAPSHOT_KEY_MOST = 1 << 20, SNAPSHOT_TEXT_MOST = 1 << 20 };
#define SNAPSHOT_GENERATION 32 /* characters */

/*
 * What a run depends on that is no file: the program, a path, its words and folder, the environment that it
 * heeds, the user, the kernel's run, and what its streams are. Returns -1 where that cannot be told:
 * then there is no snapshot.
 */
int snapshot_key(const char *program, int argc, char **argv, struct buf *ret);
/* The part of it that all that is kept depends on: the program, the user, the kernel's run. */
int snapshot_key_machine(const char *program, struct buf *ret);
/* Whether a command line may have a snapshot: it builds, and makes nothing beside the store. *ret_store is
 * the store that it names, where it does. */
bool snapshot_words(int argc, char **argv, const char **ret_store);
/* The store's generation; false where it has none, and so no snapshots. */
bool snapshot_generation(int store_fd, char ret[SNAPSHOT_GENERATION + 1]);
/* One that no store has; "" where there is no chance. */
void snapshot_draw(char ret[SNAPSHOT_GENERATION + 1]);
/* Gives the store one. Never fails: where it cannot, or for "", the old one is gone, and all that
 * depends on it. */
void snapshot_set_generation(int store_fd, const char *text);
/* Gives the store another one. Never fails: where it cannot, the old one is gone, and all snapshots
 * with it. */
void snapshot_renew(int store_fd);

#endif
