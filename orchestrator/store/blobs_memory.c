/* Blobs in memory, for tests: the same contract as the folder's, nothing on disk. */
#include "store/blobs_ops.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/map.h"
#include "external/crypto.h"
#include "host/fs.h"

enum { MEMORY_BLOB_MOST = 1 << 30 };

struct memory_blobs {
	struct blobs base;
	struct map *content; /* digest bytes → struct buf */
};

static struct buf *find(struct blobs *blobs, const struct blob_ref *ref)
{
	struct memory_blobs *memory = (struct memory_blobs *)blobs;
	struct buf *buf = map_get_n(memory->content, &ref->digest, sizeof(ref->digest));

	return buf && buf->n == ref->size ? buf : NULL;
}

static int memory_put(struct blobs *blobs, const void *p, size_t n, const struct blob_ref *ref,
                      struct err *err)
{
	struct memory_blobs *memory = (struct memory_blobs *)blobs;
	struct buf *buf;

	(void)err;
	if (find(blobs, ref))
		return 0;
	buf = alloc(sizeof(*buf));
	*buf = BUF_INIT(n);
	buf_add(buf, p, n);
	bug_on(map_set_n(memory->content, &ref->digest, sizeof(ref->digest), buf) != NULL);
	return 0;
}

static int memory_put_fd(struct blobs *blobs, int fd, const char *what, struct blob_ref *ret,
                         struct err *err)
{
	_cleanup_buf_ struct buf buf = BUF_INIT(MEMORY_BLOB_MOST);

	if (fs_read_fd(fd, what, &buf, err) < 0)
		return -1;
	return blobs_put(blobs, buf_text(&buf), buf.n, ret, err);
}

static bool memory_has(struct blobs *blobs, const struct blob_ref *ref, bool deep)
{
	(void)deep;
	return find(blobs, ref) != NULL;
}

static bool memory_find(struct blobs *blobs, struct blob_ref *ret)
{
	struct memory_blobs *memory = (struct memory_blobs *)blobs;
	const struct buf *buf = map_get_n(memory->content, &ret->digest, sizeof(ret->digest));

	if (buf)
		ret->size = buf->n;
	return buf != NULL;
}

static int memory_walk(struct blobs *blobs, blobs_visit_fn visit, void *data, struct err *err)
{
	struct memory_blobs *memory = (struct memory_blobs *)blobs;

	for (size_t i = 0; i < map_count(memory->content); i++) {
		const struct map_entry *entry = map_at(memory->content, i);
		const struct buf *buf = entry->value;
		struct blob_ref ref;

		if (!buf)
			continue;
		memcpy(&ref.digest, entry->key, sizeof(ref.digest));
		ref.size = buf->n;
		if (visit(data, &ref, buf->n, err) < 0)
			return -1;
	}
	return 0;
}

static int memory_remove(struct blobs *blobs, const struct digest *digest, struct err *err)
{
	struct memory_blobs *memory = (struct memory_blobs *)blobs;
	struct buf *buf = map_set_n(memory->content, digest, sizeof(*digest), NULL);

	(void)err;
	if (buf)
		buf_deinit(buf);
	free(buf);
	return 0;
}

static int memory_read(struct blobs *blobs, const struct blob_ref *ref, struct buf *buf,
                       struct err *err)
{
	const struct buf *content = find(blobs, ref);

	(void)err;
	if (!content)
		return BLOBS_MISS;
	buf_add(buf, buf_text(content), content->n);
	return 0;
}

static int memory_open_fd(struct blobs *blobs, const struct blob_ref *ref, int *ret_fd,
                          struct err *err)
{
	const struct buf *content = find(blobs, ref);
	_cleanup_fd_ int fd = -1;

	if (!content)
		return BLOBS_MISS;
	fd = memfd_create("blob", MFD_CLOEXEC);
	if (fd < 0)
		return err_sys(err, ERR_IO, "cannot open a blob in memory");
	if (fs_write_all(fd, buf_text(content), content->n, "a blob in memory", err) < 0)
		return -1;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, ERR_IO, "cannot rewind a blob in memory");
	*ret_fd = fd;
	fd = -1;
	return 0;
}

static void memory_free(struct blobs *blobs)
{
	struct memory_blobs *memory = (struct memory_blobs *)blobs;

	for (size_t i = 0; i < map_count(memory->content); i++) {
		struct buf *buf = map_at(memory->content, i)->value;

		if (buf)
			buf_deinit(buf);
		free(buf);
	}
	map_free(memory->content);
	free(memory);
}

static const struct blobs_ops memory_ops = {
	.name = "memory",
	.put = memory_put,
	.put_fd = memory_put_fd,
	.has = memory_has,
	.find = memory_find,
	.walk = memory_walk,
	.remove = memory_remove,
	.read = memory_read,
	.open_fd = memory_open_fd,
	.free = memory_free,
};

struct blobs *blobs_new_memory(void)
{
	struct memory_blobs *memory = alloc(sizeof(*memory));

	memory->base.ops = &memory_ops;
	memory->content = map_new();
	return &memory->base;
}
