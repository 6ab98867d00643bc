/*
 * Comparing a snapshot with what is there, in one pass over the file through a small buffer: the time is
 * that of one stat a file, the memory that of the buffer.
 */
#include "front/replay.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/fs.h"
#include "host/stamps.h"
#include "snapshot/kept.h"
#include "snapshot/snapshot.h"
#include "store/blob_file.h"

enum { CHUNK = 64 << 10, PATH_MOST = 4096 };

struct reader {
	int fd;
	char chunk[CHUNK];
	size_t at, n;
};

/* False at the end of the file, which comes before the end of a good snapshot. */
static bool take(struct reader *r, void *ret, size_t n)
{
	char *to = ret;

	while (n > 0) {
		size_t part = r->n - r->at < n ? r->n - r->at : n;

		memcpy(to, r->chunk + r->at, part);
		r->at += part;
		to += part;
		n -= part;
		if (n > 0) {
			ssize_t got = read(r->fd, r->chunk, sizeof(r->chunk));

			if (got <= 0)
				return false;
			r->n = (size_t)got;
			r->at = 0;
		}
	}
	return true;
}

static bool take_text(struct reader *r, char ret[PATH_MOST])
{
	uint16_t n;

	if (!take(r, &n, sizeof(n)) || n >= PATH_MOST || !take(r, ret, n))
		return false;
	ret[n] = '\0';
	return true;
}

struct replaying {
	struct reader reader;
	int store, blobs; /* folders */
	int dir;          /* the one whose entries follow; -1: none */
	struct buf said;  /* (descriptor, length, text)… */
};

static bool same(const struct stat *st, const struct stamps *stamps)
{
	struct stamps now = stamps_of(st);

	return stamps_equal(&now, stamps);
}

/* ---- records -------------------------------------------------------------------------------- */

static bool check_folder(struct replaying *r)
{
	struct stamps stamps;
	char path[PATH_MOST];
	struct stat st;

	if (!take_text(&r->reader, path) || !take(&r->reader, &stamps, sizeof(stamps)))
		return false;
	fs_close(r->dir);
	r->dir = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return r->dir >= 0 && fstat(r->dir, &st) == 0 && same(&st, &stamps);
}

/* Of the folder that was last told, or by its whole path; itself, or what it leads to. */
static bool check_file(struct replaying *r, bool entry, int how)
{
	struct stamps stamps;
	char path[PATH_MOST];
	struct stat st;

	return take_text(&r->reader, path) && take(&r->reader, &stamps, sizeof(stamps)) &&
	       fstatat(entry ? r->dir : AT_FDCWD, path, &st, how) == 0 && same(&st, &stamps);
}

static bool check_kind(struct replaying *r)
{
	char path[PATH_MOST];
	struct stat st;
	uint32_t kind;

	if (!take_text(&r->reader, path) || !take(&r->reader, &kind, sizeof(kind)))
		return false;
	if (stat(path, &st) < 0)
		return kind == SNAPSHOT_NOTHING;
	return kind == snapshot_kind_of(&st);
}

static bool check_blob(struct replaying *r)
{
	struct digest digest;
	char name[BLOB_NAME_SIZE];
	uint64_t size;
	struct stat st;

	return take(&r->reader, &digest, sizeof(digest)) && take(&r->reader, &size, sizeof(size)) &&
	       fstatat(r->blobs, blob_file_name(&digest, name), &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       blob_file_is_good(&st, size);
}

static bool keep_said(struct replaying *r)
{
	char part[4096];
	uint32_t left;

	if (!take(&r->reader, &left, sizeof(left)) || left > SNAPSHOT_TEXT_MOST)
		return false;
	while (left > 0) {
		uint32_t n = left < sizeof(part) ? left : (uint32_t)sizeof(part);

		if (!take(&r->reader, part, n))
			return false;
		buf_add(&r->said, part, n);
		left -= n;
	}
	return true;
}

static bool check_records(struct replaying *r)
{
	for (;;) {
		bool good;
		char type;

		if (!take(&r->reader, &type, 1))
			return false;
		switch (type) {
		case 'D':
			good = check_folder(r);
			break;
		case 'E':
			good = check_file(r, true, AT_SYMLINK_NOFOLLOW);
			break;
		case 'F':
			good = check_file(r, false, AT_SYMLINK_NOFOLLOW);
			break;
		case 'T':
			good = check_file(r, false, 0);
			break;
		case 'K':
			good = check_kind(r);
			break;
		case 'B':
			good = check_blob(r);
			break;
		case 'O':
			good = keep_said(r);
			break;
		default:
			return type == 'Z';
		}
		if (!good)
			return false;
	}
}

/* ---- the head ------------------------------------------------------------------------------- */

static bool check_head(struct replaying *r, const struct buf *key)
{
	char magic[sizeof(SNAPSHOT_MAGIC) - 1], generation[SNAPSHOT_GENERATION];
	char now[SNAPSHOT_GENERATION + 1], part[1024];
	uint32_t n;
	int64_t age;

	if (!take(&r->reader, magic, sizeof(magic)) ||
	    memcmp(magic, SNAPSHOT_MAGIC, sizeof(magic)) != 0 || !take(&r->reader, &n, sizeof(n)) ||
	    n != key->n)
		return false;
	for (size_t at = 0; at < n;) {
		size_t some = n - at < sizeof(part) ? n - at : sizeof(part);

		if (!take(&r->reader, part, some) || memcmp(part, key->p + at, some) != 0)
			return false;
		at += some;
	}
	if (!take(&r->reader, generation, sizeof(generation)) ||
	    !snapshot_generation(r->store, now) ||
	    memcmp(now, generation, sizeof(generation)) != 0 ||
	    !take(&r->reader, &age, sizeof(age)))
		return false;
	age = clock_real_us() - age;
	return age >= 0 && age < (int64_t)SNAPSHOT_SECONDS * 1000000;
}

static int say(const struct buf *said, struct err *err)
{
	struct snapshot_said head;

	for (size_t at = 0; at + sizeof(head) <= said->n; at += head.n) {
		memcpy(&head, said->p + at, sizeof(head));
		at += sizeof(head);
		if (fs_write_all((int)head.fd, said->p + at, head.n,
		                 head.fd == STDOUT_FILENO ? "standard output" : "standard error",
		                 err) < 0)
			return -1;
	}
	return 0;
}

static bool open_all(struct replaying *r, const char *store, const struct buf *key)
{
	char path[64];

	kept_name(key, "", path);
	r->store = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->store < 0 || !kept_is_ours(r->store))
		return false;
	r->blobs = openat(r->store, "blobs", O_PATH | O_DIRECTORY | O_CLOEXEC);
	r->reader.fd = openat(r->store, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return r->blobs >= 0 && r->reader.fd >= 0;
}

int replay(const char *store, const struct buf *key, struct err *err)
{
	struct replaying r = { .reader.fd = -1,
		               .store = -1,
		               .blobs = -1,
		               .dir = -1,
		               .said = BUF_INIT(SNAPSHOT_TEXT_MOST) };
	bool good = open_all(&r, store, key) && check_head(&r, key) && check_records(&r);
	int rc = good ? say(&r.said, err) : REPLAY_STALE;

	buf_deinit(&r.said);
	fs_close(r.dir);
	fs_close(r.reader.fd);
	fs_close(r.blobs);
	fs_close(r.store);
	return rc;
}
