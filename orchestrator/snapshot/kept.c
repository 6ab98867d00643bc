/* Writing through a buffer, reading in place. */
#include "snapshot/kept.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "host/fs.h"
#include "host/tmpfile.h"

enum { CHUNK = 64 << 10, MOST_FILES = 64 };
static const uint64_t MOST_BYTES = 1 << 30, LEAST_ROOM = 64 << 20;
static const uint32_t no_text = UINT32_MAX; /* the length of NULL */

/* FNV-1a, twice from other starts (http://www.isthe.com/chongo/tech/comp/fnv/). */
void kept_name(const struct buf *key, const char *suffix, char ret[64])
{
	uint64_t hash[2] = { 0xcbf29ce484222325, 0x84222325cbf29ce4 };

	for (size_t i = 0; i < key->n; i++)
		for (int j = 0; j < 2; j++)
			hash[j] = (hash[j] ^ (unsigned char)key->p[i]) * 0x100000001b3;
	snprintf(ret, 64, KEPT_FOLDER "/%016llx%016llx%s", (unsigned long long)hash[0],
	         (unsigned long long)hash[1], suffix);
}

/* ---- its sum -------------------------------------------------------------------------------- */

/* Of whole chunks, and at the end of what is left. It finds what a disk or memory did to a file, nobody's
 * malice: eight bytes at a time, multiplied by the golden ratio (Knuth, The Art of Computer Programming 3,
 * 6.4). */
static uint64_t add_sum(uint64_t sum, const char *p, size_t n)
{
	while (n > 0) {
		size_t part = n < sizeof(uint64_t) ? n : sizeof(uint64_t);
		uint64_t word = 0;

		memcpy(&word, p, part);
		sum = (sum ^ word) * 0x9e3779b97f4a7c15;
		sum ^= sum >> 32;
		p += part;
		n -= part;
	}
	return sum;
}

/* ---- writing -------------------------------------------------------------------------------- */

struct kept_writer {
	int store; /* borrowed */
	int fd;    /* -1: given up */
	char chunk[CHUNK];
	size_t n;
	uint64_t sum;     /* of what is written */
	uint64_t written; /* bytes */
};

static void flush(struct kept_writer *w)
{
	struct err ignored = ERR_INIT;

	w->sum = add_sum(w->sum, w->chunk, w->n);
	if (w->fd >= 0 && fs_write_all(w->fd, w->chunk, w->n, "a snapshot", &ignored) < 0)
		w->fd = fs_close(w->fd);
	w->written += w->n;
	w->n = 0;
}

void kept_put(struct kept_writer *w, const void *p, size_t n)
{
	const char *from = p;

	while (n > 0 && w->fd >= 0) {
		size_t part = sizeof(w->chunk) - w->n < n ? sizeof(w->chunk) - w->n : n;

		memcpy(w->chunk + w->n, from, part);
		w->n += part;
		from += part;
		n -= part;
		if (w->n == sizeof(w->chunk))
			flush(w);
	}
}

void kept_put_u32(struct kept_writer *w, uint32_t number)
{
	kept_put(w, &number, sizeof(number));
}

void kept_put_text(struct kept_writer *w, const char *text, size_t n)
{
	if (!text) {
		kept_put_u32(w, no_text);
		return;
	}
	if (n >= no_text)
		kept_give_up(w);
	kept_put_u32(w, (uint32_t)n);
	kept_put(w, text, n);
	kept_put(w, "", 1);
}

void kept_put_str(struct kept_writer *w, const char *text)
{
	kept_put_text(w, text, text ? strlen(text) : 0);
}

uint64_t kept_position(const struct kept_writer *w)
{
	return w->written + w->n;
}

void kept_give_up(struct kept_writer *w)
{
	w->fd = fs_close(w->fd);
}

/* The last of a disk is for what is built. */
static bool has_room(int dir)
{
	return fs_room(dir) >= LEAST_ROOM;
}

struct kept_writer *kept_new(int store_fd, const char *magic, const struct buf *key)
{
	struct kept_writer *w = alloc(sizeof(*w));
	_cleanup_fd_ int dir = -1;
	struct err ignored = ERR_INIT;

	w->store = store_fd;
	w->fd = -1;
	if (mkdirat(store_fd, KEPT_FOLDER, 0700) < 0 && errno != EEXIST)
		return w;
	if (fs_open_dir(store_fd, KEPT_FOLDER, &dir, &ignored) == 0 && has_room(dir) &&
	    tmpfile_open(dir, "a snapshot", &w->fd, &ignored) == 0) {
		kept_put(w, magic, KEPT_MAGIC);
		kept_put_u32(w, (uint32_t)key->n);
		kept_put(w, key->p, key->n);
	}
	return w;
}

struct kept_writer *kept_free(struct kept_writer *w)
{
	if (w)
		kept_give_up(w);
	free(w);
	return NULL;
}

static bool is_too_much(int dir, const struct fs_names *list)
{
	uint64_t bytes = 0;
	struct stat st;

	for (size_t i = 0; i < list->names.n; i++)
		if (fstatat(dir, list->names.v[i], &st, AT_SYMLINK_NOFOLLOW) == 0)
			bytes += (uint64_t)st.st_size;
	return list->names.n > MOST_FILES || bytes > MOST_BYTES;
}

/* Those of other generations mean nothing any more. Of many, all go: the next runs write them anew. */
static void make_room(int store)
{
	struct fs_names list = { 0 };
	struct err ignored = ERR_INIT;
	_cleanup_fd_ int dir = -1;

	if (fs_open_dir(store, KEPT_FOLDER, &dir, &ignored) == 0 &&
	    fs_list(dir, ".", &list, &ignored) == 0 && is_too_much(dir, &list))
		for (size_t i = 0; i < list.names.n; i++)
			if (strcmp(list.names.v[i], "generation") != 0)
				unlinkat(dir, list.names.v[i], 0);
	fs_names_deinit(&list);
}

void kept_keep(struct kept_writer *w, const char *name)
{
	char path[64];
	uint64_t sum;

	flush(w);
	sum = w->sum;
	kept_put(w, &sum, sizeof(sum));
	flush(w);
	if (w->fd < 0)
		return;
	make_room(w->store);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", w->fd);
	kept_drop(w->store, name);
	(void)!linkat(AT_FDCWD, path, w->store, name, AT_SYMLINK_FOLLOW);
	kept_give_up(w);
}

void kept_drop(int store, const char *name)
{
	unlinkat(store, name, 0);
}

/* ---- reading -------------------------------------------------------------------------------- */

bool kept_is_ours(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 022) == 0;
}

const void *kept_take(struct kept *kept, size_t n)
{
	const char *p = kept->p + kept->at;

	if (kept->bad || n > kept->n - kept->at) {
		kept->bad = true;
		return NULL;
	}
	kept->at += n;
	return p;
}

void kept_take_into(struct kept *kept, void *ret, size_t n)
{
	const void *p = kept_take(kept, n);

	if (p)
		memcpy(ret, p, n);
	else
		memset(ret, 0, n);
}

uint32_t kept_take_u32(struct kept *kept)
{
	uint32_t number;

	kept_take_into(kept, &number, sizeof(number));
	return number;
}

const char *kept_take_text(struct kept *kept, size_t *ret_n)
{
	uint32_t n = kept_take_u32(kept);
	const char *text = n == no_text ? NULL : kept_take(kept, (size_t)n + 1);

	kept->bad |= text && text[n] != '\0';
	*ret_n = text ? n : 0;
	return kept->bad ? NULL : text;
}

const char *kept_take_str(struct kept *kept)
{
	size_t n;
	const char *text = kept_take_text(kept, &n);

	if (text && strlen(text) != n)
		kept->bad = true;
	return kept->bad ? NULL : text;
}

/* In chunks, as it was written; each takes no memory any more. */
static bool has_sum(struct kept *kept)
{
	uint64_t sum = 0, wanted;

	if (kept->n < sizeof(wanted))
		return false;
	kept->n -= sizeof(wanted);
	memcpy(&wanted, kept->p + kept->n, sizeof(wanted));
	for (size_t at = 0; at < kept->n; at += CHUNK) {
		size_t n = kept->n - at < CHUNK ? kept->n - at : CHUNK;

		sum = add_sum(sum, kept->p + at, n);
		kept_rest(kept, at, at + n);
	}
	return sum == wanted;
}

static bool has_head(struct kept *kept, const char *magic, const struct buf *key)
{
	const char *now = kept_take(kept, KEPT_MAGIC);
	uint32_t n;

	if (!now || memcmp(now, magic, KEPT_MAGIC) != 0)
		return false;
	n = kept_take_u32(kept);
	now = n == key->n ? kept_take(kept, n) : NULL;
	return now && (n == 0 || memcmp(now, key->p, n) == 0);
}

bool kept_open(int store_fd, const char *name, const char *magic, const struct buf *key,
               struct kept *ret)
{
	_cleanup_fd_ int fd = openat(store_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	void *p;

	*ret = (struct kept){ 0 };
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
		return false;
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return false;
	*ret = (struct kept){ .p = p, .n = (size_t)st.st_size };
	ret->size = ret->n;
	if (has_sum(ret) && has_head(ret, magic, key))
		return true;
	kept_close(ret);
	return false;
}

void kept_rest(const struct kept *kept, size_t from, size_t to)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);

	from = (from + page - 1) / page * page;
	to = to / page * page;
	if (from < to)
		(void)madvise((char *)kept->p + from, to - from, MADV_DONTNEED);
}

void kept_close(struct kept *kept)
{
	if (kept->p)
		munmap((void *)kept->p, kept->size);
	*kept = (struct kept){ 0 };
}
