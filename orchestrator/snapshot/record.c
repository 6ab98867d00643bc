/* Writing a snapshot. */
#include "snapshot/record.h"

#include <string.h>

#include "base/alloc.h"
#include "base/array.h"
#include "base/str.h"
#include "host/stamps.h"
#include "snapshot/kept.h"

struct snapshot_record {
	struct kept_writer *file;
	int store; /* borrowed */
	char name[64];
	int64_t began_us;
	ARRAY(uint64_t) blocks; /* where they begin */
	size_t n_in_block;
	char *folder; /* that entries are of, and what it was */
	struct stat folder_st;
};

/* A record comes. True: it is the first one of a block. */
static bool begin_record(struct snapshot_record *r)
{
	if (r->blocks.n > 0 && r->n_in_block++ < SNAPSHOT_BLOCK)
		return false;
	array_push(&r->blocks, kept_position(r->file));
	r->n_in_block = 1;
	return true;
}

static void put_named(struct snapshot_record *r, char type, const char *name)
{
	size_t n = strlen(name);
	uint16_t length = (uint16_t)n;

	if (n >= 4096)
		snapshot_record_give_up(r);
	kept_put(r->file, &type, 1);
	kept_put(r->file, &length, sizeof(length));
	kept_put(r->file, name, n);
}

static void put_stamps(struct snapshot_record *r, const struct stat *st)
{
	struct stamps stamps = stamps_of(st);

	if (!stamps_settled(&stamps, r->began_us))
		snapshot_record_give_up(r);
	kept_put(r->file, &stamps, sizeof(stamps));
}

/* ---- records -------------------------------------------------------------------------------- */

static void put_folder(struct snapshot_record *r)
{
	put_named(r, 'D', r->folder);
	put_stamps(r, &r->folder_st);
}

void snapshot_record_folder(struct snapshot_record *r, const char *path, const struct stat *st)
{
	free(r->folder);
	r->folder = str_dup(path);
	r->folder_st = *st;
	begin_record(r);
	put_folder(r);
}

void snapshot_record_entry(struct snapshot_record *r, const char *name, const struct stat *st)
{
	if (begin_record(r)) /* which knows no folder */
		put_folder(r);
	put_named(r, 'E', name);
	put_stamps(r, st);
}

void snapshot_record_file(struct snapshot_record *r, const char *path, const struct stat *st)
{
	begin_record(r);
	put_named(r, 'F', path);
	put_stamps(r, st);
}

void snapshot_record_target(struct snapshot_record *r, const char *path, const struct stat *st)
{
	begin_record(r);
	put_named(r, 'T', path);
	put_stamps(r, st);
}

void snapshot_record_kind(struct snapshot_record *r, const char *path, enum snapshot_kind kind)
{
	uint32_t number = kind;

	begin_record(r);
	put_named(r, 'K', path);
	kept_put(r->file, &number, sizeof(number));
}

void snapshot_record_blob(struct snapshot_record *r, const struct blob_ref *ref)
{
	begin_record(r);
	kept_put(r->file, "B", 1);
	kept_put(r->file, &ref->digest, sizeof(ref->digest));
	kept_put(r->file, &ref->size, sizeof(ref->size));
}

/* ---- beginning and ending ------------------------------------------------------------------- */

void snapshot_record_give_up(struct snapshot_record *r)
{
	kept_give_up(r->file);
}

static void put_head(struct snapshot_record *r)
{
	char generation[SNAPSHOT_GENERATION + 1];

	if (!snapshot_generation(r->store, generation)) /* somebody changes it */
		snapshot_record_give_up(r);
	kept_put(r->file, generation, SNAPSHOT_GENERATION);
	kept_put(r->file, &r->began_us, sizeof(r->began_us));
}

struct snapshot_record *snapshot_record_new(int store_fd, const struct buf *key, int64_t began_us)
{
	struct snapshot_record *r = alloc(sizeof(*r));

	r->store = store_fd;
	r->began_us = began_us;
	r->file = kept_new(store_fd, SNAPSHOT_MAGIC, key);
	kept_name(key, "", r->name);
	put_head(r);
	return r;
}

struct snapshot_record *snapshot_record_free(struct snapshot_record *r)
{
	if (!r)
		return NULL;
	kept_free(r->file);
	array_deinit(&r->blocks);
	free(r->folder);
	free(r);
	return NULL;
}

void snapshot_record_keep(struct snapshot_record *r, const struct buf *said)
{
	const struct snapshot_tail tail = { (uint32_t)r->blocks.n, (uint32_t)said->n };
	const uint64_t said_at = kept_position(r->file);

	if (said->overflow)
		snapshot_record_give_up(r);
	kept_put(r->file, said->p, said->n);
	for (size_t i = 0; i < r->blocks.n; i++)
		kept_put(r->file, &r->blocks.v[i], sizeof(r->blocks.v[i]));
	kept_put(r->file, &said_at, sizeof(said_at));
	kept_put(r->file, &tail, sizeof(tail));
	kept_keep(r->file, r->name);
}
