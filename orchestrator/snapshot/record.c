/* Writing a snapshot. */
#include "snapshot/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "host/clock.h"
#include "host/fs.h"
#include "host/stamps.h"
#include "host/tmpfile.h"

enum { CHUNK = 64 << 10, MOST_SNAPSHOTS = 64 };

struct snapshot_record {
	int store;     /* borrowed */
	int fd;        /* -1: given up */
	char name[64]; /* below the store */
	int64_t began_us;
	char chunk[CHUNK];
	size_t n;
};

static void flush(struct snapshot_record *r)
{
	struct err ignored = ERR_INIT;

	if (r->fd >= 0 && fs_write_all(r->fd, r->chunk, r->n, "a snapshot", &ignored) < 0)
		r->fd = fs_close(r->fd);
	r->n = 0;
}

static void put(struct snapshot_record *r, const void *p, size_t n)
{
	const char *from = p;

	while (n > 0 && r->fd >= 0) {
		size_t part = sizeof(r->chunk) - r->n < n ? sizeof(r->chunk) - r->n : n;

		memcpy(r->chunk + r->n, from, part);
		r->n += part;
		from += part;
		n -= part;
		if (r->n == sizeof(r->chunk))
			flush(r);
	}
}

static void put_named(struct snapshot_record *r, char type, const char *name)
{
	size_t n = strlen(name);
	uint16_t length = (uint16_t)n;

	if (n >= 4096)
		snapshot_record_give_up(r);
	put(r, &type, 1);
	put(r, &length, sizeof(length));
	put(r, name, n);
}

static void put_stamps(struct snapshot_record *r, const struct stat *st)
{
	struct stamps stamps = stamps_of(st);

	if (!stamps_settled(&stamps, r->began_us))
		snapshot_record_give_up(r);
	put(r, &stamps, sizeof(stamps));
}

/* ---- records -------------------------------------------------------------------------------- */

void snapshot_record_folder(struct snapshot_record *r, const char *path, const struct stat *st)
{
	put_named(r, 'D', path);
	put_stamps(r, st);
}

void snapshot_record_entry(struct snapshot_record *r, const char *name, const struct stat *st)
{
	put_named(r, 'E', name);
	put_stamps(r, st);
}

void snapshot_record_file(struct snapshot_record *r, const char *path, const struct stat *st)
{
	put_named(r, 'F', path);
	put_stamps(r, st);
}

void snapshot_record_kind(struct snapshot_record *r, const char *path, enum snapshot_kind kind)
{
	uint32_t number = kind;

	put_named(r, 'K', path);
	put(r, &number, sizeof(number));
}

void snapshot_record_blob(struct snapshot_record *r, const struct blob_ref *ref)
{
	put(r, "B", 1);
	put(r, &ref->digest, sizeof(ref->digest));
	put(r, &ref->size, sizeof(ref->size));
}

void snapshot_record_said(struct snapshot_record *r, const struct buf *said)
{
	uint32_t n = (uint32_t)said->n;

	if (said->overflow)
		snapshot_record_give_up(r);
	put(r, "O", 1);
	put(r, &n, sizeof(n));
	put(r, said->p, said->n);
}

/* ---- beginning and ending ------------------------------------------------------------------- */

void snapshot_record_give_up(struct snapshot_record *r)
{
	r->fd = fs_close(r->fd);
}

static void put_head(struct snapshot_record *r, const struct buf *key)
{
	char generation[SNAPSHOT_GENERATION + 1];
	uint32_t n = (uint32_t)key->n;

	if (!snapshot_generation(r->store, generation)) {
		snapshot_renew(r->store);
		if (!snapshot_generation(r->store, generation))
			snapshot_record_give_up(r);
	}
	put(r, SNAPSHOT_MAGIC, sizeof(SNAPSHOT_MAGIC) - 1);
	put(r, &n, sizeof(n));
	put(r, key->p, key->n);
	put(r, generation, SNAPSHOT_GENERATION);
	put(r, &r->began_us, sizeof(r->began_us));
}

struct snapshot_record *snapshot_record_new(int store_fd, const struct buf *key)
{
	struct snapshot_record *r = alloc(sizeof(*r));
	_cleanup_fd_ int dir = -1;
	struct err ignored = ERR_INIT;
	char name[40];

	r->store = store_fd;
	r->fd = -1;
	r->began_us = clock_real_us();
	snapshot_name(key, name);
	snprintf(r->name, sizeof(r->name), "snapshots/%s", name);
	if (mkdirat(store_fd, "snapshots", 0700) < 0 && errno != EEXIST)
		return r;
	if (fs_open_dir(store_fd, "snapshots", &dir, &ignored) == 0 &&
	    tmpfile_open(dir, "a snapshot", &r->fd, &ignored) == 0)
		put_head(r, key);
	return r;
}

struct snapshot_record *snapshot_record_free(struct snapshot_record *r)
{
	if (r) {
		snapshot_record_give_up(r);
		free(r);
	}
	return NULL;
}

/* Those of other generations mean nothing any more. Of many, all go: the next runs write them anew. */
static void make_room(int store)
{
	struct fs_names list = { 0 };
	struct err ignored = ERR_INIT;
	_cleanup_fd_ int dir = -1;

	if (fs_open_dir(store, "snapshots", &dir, &ignored) == 0 &&
	    fs_list(dir, ".", &list, &ignored) == 0 && list.names.n > MOST_SNAPSHOTS)
		for (size_t i = 0; i < list.names.n; i++)
			if (strcmp(list.names.v[i], "generation") != 0)
				unlinkat(dir, list.names.v[i], 0);
	fs_names_deinit(&list);
}

void snapshot_record_keep(struct snapshot_record *r)
{
	char path[64];

	put(r, "Z", 1);
	flush(r);
	if (r->fd < 0)
		return;
	make_room(r->store);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", r->fd);
	unlinkat(r->store, r->name, 0);
	(void)!linkat(AT_FDCWD, path, r->store, r->name, AT_SYMLINK_FOLLOW);
	r->fd = fs_close(r->fd);
}
