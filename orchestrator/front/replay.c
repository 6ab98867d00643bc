/*
 * Comparing a snapshot with what is there, through a small buffer: the time is that of one stat a file, the
 * memory that of the buffer. Of a large one each processor takes some blocks.
 */
#include "front/replay.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "host/clock.h"
#include "host/crew.h"
#include "host/fs.h"
#include "host/stamps.h"
#include "snapshot/kept.h"
#include "snapshot/snapshot.h"
#include "store/blob_file.h"

enum {
	CHUNK = 64 << 10,
	PATH_MOST = 4096,
	/* From here on children are worth what they cost, half a millisecond each. */
	MANY_BLOCKS = 4,
};

struct reader {
	int fd;
	char chunk[CHUNK];
	size_t at, n;
	uint64_t next; /* where in the file the next chunk begins */
};

static void go_to(struct reader *r, uint64_t where)
{
	r->at = r->n = 0;
	r->next = where;
}

static uint64_t position(const struct reader *r)
{
	return r->next - (r->n - r->at);
}

/* False at the end of the file, which comes before the end of a good snapshot. By its own position: the
 * descriptor's is one for all children. */
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
			ssize_t got = pread(r->fd, r->chunk, sizeof(r->chunk), (off_t)r->next);

			if (got <= 0)
				return false;
			r->next += (uint64_t)got;
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
	struct snapshot_tail tail;
	uint64_t *blocks; /* where they begin, and where the last one ends */
	char *said;       /* (descriptor, length, text)… */
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

static bool check_record(struct replaying *r)
{
	char type;

	if (!take(&r->reader, &type, 1))
		return false;
	switch (type) {
	case 'D':
		return check_folder(r);
	case 'E':
		return check_file(r, true, AT_SYMLINK_NOFOLLOW);
	case 'F':
		return check_file(r, false, AT_SYMLINK_NOFOLLOW);
	case 'T':
		return check_file(r, false, 0);
	case 'K':
		return check_kind(r);
	case 'B':
		return check_blob(r);
	default:
		return false;
	}
}

/* ---- blocks --------------------------------------------------------------------------------- */

/* One of them, which ends where the next one begins. */
static int check_block(void *data, size_t i, struct err *err)
{
	struct replaying *r = data;

	go_to(&r->reader, r->blocks[i]);
	r->dir = fs_close(r->dir);
	while (position(&r->reader) < r->blocks[i + 1])
		if (!check_record(r))
			return err_set(err, ERR_IO, "something has changed");
	return position(&r->reader) == r->blocks[i + 1] ?
	               0 :
	               err_set(err, ERR_IO, "a block of a snapshot is longer than it should be");
}

static bool check_blocks(struct replaying *r)
{
	const int fds[] = { r->reader.fd, r->store, r->blobs };
	struct crew_spec spec = { .what = "comparing a snapshot",
		                  .n_claims = r->tail.n_blocks,
		                  .keep_fds = fds,
		                  .n_keep_fds = ARRAY_LEN(fds),
		                  .work = check_block,
		                  .data = r };
	struct err stale = ERR_INIT;

	if (r->tail.n_blocks >= MANY_BLOCKS)
		spec.n_children = crew_processors();
	return crew_run(&spec, &stale) == 0;
}

/* ---- the head and the end ------------------------------------------------------------------------------- */

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

/* The blocks' places, up to that of what was said. */
static bool take_blocks(struct replaying *r, uint64_t tail_at)
{
	const size_t n = (size_t)r->tail.n_blocks + 1, size = n * sizeof(*r->blocks);
	const uint64_t begin = position(&r->reader);

	if (size > tail_at)
		return false;
	r->blocks = alloc_array(n, sizeof(*r->blocks));
	go_to(&r->reader, tail_at - size);
	if (!take(&r->reader, r->blocks, size) || r->blocks[0] != begin ||
	    r->blocks[n - 1] + r->tail.n_said != tail_at - size)
		return false;
	for (size_t i = 1; i < n; i++)
		if (r->blocks[i] <= r->blocks[i - 1])
			return false;
	return true;
}

static bool take_said(struct replaying *r)
{
	if (r->tail.n_said > SNAPSHOT_TEXT_MOST)
		return false;
	r->said = alloc(r->tail.n_said + 1);
	go_to(&r->reader, r->blocks[r->tail.n_blocks]);
	return take(&r->reader, r->said, r->tail.n_said);
}

/* Behind the head. */
static bool take_end(struct replaying *r)
{
	const uint64_t begin = position(&r->reader), end = sizeof(r->tail) + sizeof(uint64_t);
	struct stat st;

	if (fstat(r->reader.fd, &st) < 0 || (uint64_t)st.st_size < begin + end)
		return false;
	go_to(&r->reader, (uint64_t)st.st_size - end);
	if (!take(&r->reader, &r->tail, sizeof(r->tail)))
		return false;
	go_to(&r->reader, begin);
	return take_blocks(r, (uint64_t)st.st_size - end);
}

static int say(const struct replaying *r, struct err *err)
{
	const size_t n = r->tail.n_said;
	struct snapshot_said head;

	for (size_t at = 0; at + sizeof(head) <= n; at += head.n) {
		memcpy(&head, r->said + at, sizeof(head));
		at += sizeof(head);
		if (head.n > n - at)
			break;
		if (fs_write_all((int)head.fd, r->said + at, head.n,
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
	struct replaying r = { .reader.fd = -1, .store = -1, .blobs = -1, .dir = -1 };
	bool good = open_all(&r, store, key) && check_head(&r, key) && take_end(&r) &&
	            check_blocks(&r) && take_said(&r);
	int rc = good ? say(&r, err) : REPLAY_STALE;

	free(r.blocks);
	free(r.said);
	fs_close(r.dir);
	fs_close(r.reader.fd);
	fs_close(r.blobs);
	fs_close(r.store);
	return rc;
}
