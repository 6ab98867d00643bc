#ifndef KILN_SNAPSHOT_KEPT_H
#define KILN_SNAPSHOT_KEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * Files of what one run found out and the next may take for granted: in STORE/snapshots, of a magic, a
 * key that says what it depends on, and a body. They only spare work: whoever finds none, or a strange
 * one, does the work again. Numbers as they lie in memory, texts with their length in front and a NUL
 * behind, a sum at the end: a file is never read on another machine. The key holds what the machine's run
 * is called, so none outlives it: what a power failure leaves of one is never read.
 */
#define KEPT_FOLDER "snapshots"
enum { KEPT_MAGIC = 8 }; /* its bytes */

/* A file's name for a key and what it is of: no more than a hash, the key itself is compared. */
void kept_name(const struct buf *key, const char *suffix, char ret[64]);

/* ---- writing -------------------------------------------------------------------------------- */

/*
 * One in the making has no name. What cannot be written gives it up, and there is none where a disk is nearly
 * full: all calls are fine then, and do nothing. None fails, and none is NULL.
 */
struct kept_writer;

struct kept_writer *kept_new(int store_fd, const char *magic, const struct buf *key);
struct kept_writer *kept_free(struct kept_writer *writer);
void kept_put(struct kept_writer *writer, const void *p, size_t n);
void kept_put_u32(struct kept_writer *writer, uint32_t number);
/* A text of n bytes, which may hold a NUL; NULL is another one than "". */
void kept_put_text(struct kept_writer *writer, const char *text, size_t n);
void kept_put_str(struct kept_writer *writer, const char *text);
/* How many bytes are before what is put next. */
uint64_t kept_position(const struct kept_writer *writer);
void kept_give_up(struct kept_writer *writer);
/* Its body is whole: from now on it is what is found under the name. */
void kept_keep(struct kept_writer *writer, const char *name);
/* There is none under that name any more. */
void kept_drop(int store_fd, const char *name);

/* ---- reading -------------------------------------------------------------------------------- */

/* Mapped into memory. What goes beyond its end, or is no text, makes it `bad`: from then on everything
 * that is taken is zero, "" or NULL. */
struct kept {
	const char *p;
	size_t n, at;
	size_t size; /* of what is mapped */
	bool bad;
};

/* Whether a store's folder is this user's, and only his to change: whoever can write to it decides what is
 * built. */
bool kept_is_ours(int store_fd);
/* False where there is none of that name, magic and key. Its body comes next. */
bool kept_open(int store_fd, const char *name, const char *magic, const struct buf *key,
               struct kept *ret);
void kept_close(struct kept *kept);
/* What lies between two places of the file is not looked at soon: it takes no memory until it is. */
void kept_rest(const struct kept *kept, size_t from, size_t to);
/* The next n bytes, unaligned; NULL where there are not so many. */
const void *kept_take(struct kept *kept, size_t n);
void kept_take_into(struct kept *kept, void *ret, size_t n);
uint32_t kept_take_u32(struct kept *kept);
/* Borrowed from the file, ended by a NUL. */
const char *kept_take_text(struct kept *kept, size_t *ret_n);
const char *kept_take_str(struct kept *kept);

#endif
