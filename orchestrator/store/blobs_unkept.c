/*
 * Blobs that nobody keeps: what is put into them gets its digest and is forgotten; what is asked for is
 * asked of other blobs. For keys: of what stages are made of, most is known already, and it costs more
 * to look whether a file is there than to hash it.
 */
#include "store/blobs_ops.h"

struct unkept {
	struct blobs base;
	struct blobs *under;
};

static struct blobs *under(const struct blobs *blobs)
{
	return ((const struct unkept *)blobs)->under;
}

static int unkept_put(struct blobs *blobs, const void *p, size_t n, const struct blob_ref *ref,
                      struct err *err)
{
	(void)blobs;
	(void)p;
	(void)n;
	(void)ref;
	(void)err;
	return 0;
}

static int unkept_put_fd(struct blobs *blobs, int fd, const char *what, struct blob_ref *ret,
                         struct err *err)
{
	return blobs_put_fd(under(blobs), fd, what, ret, err);
}

static bool unkept_has(struct blobs *blobs, const struct blob_ref *ref, bool deep)
{
	return deep ? blobs_verify(under(blobs), ref) : blobs_has(under(blobs), ref);
}

static bool unkept_find(struct blobs *blobs, struct blob_ref *ret)
{
	return blobs_find(under(blobs), ret);
}

static int unkept_walk(struct blobs *blobs, blobs_visit_fn visit, void *data, struct err *err)
{
	return blobs_walk(under(blobs), visit, data, err);
}

static int unkept_remove(struct blobs *blobs, const struct digest *digest, struct err *err)
{
	return blobs_remove(under(blobs), digest, err);
}

static int unkept_read(struct blobs *blobs, const struct blob_ref *ref, struct buf *buf,
                       struct err *err)
{
	return blobs_read(under(blobs), ref, buf, err);
}

static int unkept_open_fd(struct blobs *blobs, const struct blob_ref *ref, int *ret_fd,
                          struct err *err)
{
	return blobs_open_fd(under(blobs), ref, ret_fd, err);
}

static void unkept_free(struct blobs *blobs)
{
	free(blobs);
}

static const struct blobs_ops unkept_ops = {
	.name = "unkept",
	.put = unkept_put,
	.put_fd = unkept_put_fd,
	.has = unkept_has,
	.find = unkept_find,
	.walk = unkept_walk,
	.remove = unkept_remove,
	.read = unkept_read,
	.open_fd = unkept_open_fd,
	.free = unkept_free,
};

struct blobs *blobs_unkept(struct blobs *blobs)
{
	struct unkept *unkept = alloc(sizeof(*unkept));

	unkept->base.ops = &unkept_ops;
	unkept->under = blobs;
	return &unkept->base;
}
