/* Blobs whatever keeps them: hashing what enters, and handing on to the backend. */
#include "store/blobs.h"

#include <errno.h>

#include "external/crypto.h"
#include "store/blobs_ops.h"
#include "store/directory.h"

struct blobs *blobs_free(struct blobs *blobs)
{
	if (blobs) {
		directory_forget(blobs);
		blobs->ops->free(blobs);
	}
	return NULL;
}

int blobs_put(struct blobs *blobs, const void *p, size_t n, struct blob_ref *ret, struct err *err)
{
	struct blob_ref ref = { .size = n };

	digest_of(p, n, &ref.digest);
	if (blobs->ops->put(blobs, p, n, &ref, err) < 0)
		return -1;
	*ret = ref;
	return 0;
}

int blobs_put_fd(struct blobs *blobs, int fd, const char *what, struct blob_ref *ret,
                 struct err *err)
{
	return blobs->ops->put_fd(blobs, fd, what, ret, err);
}

bool blobs_movable(struct blobs *blobs, int fd, const struct stat *st)
{
	return blobs->ops->movable && blobs->ops->movable(blobs, fd, st);
}

int blobs_move(struct blobs *blobs, int dirfd, const char *name, const struct stat *st,
               const struct blob_ref *ref, struct err *err)
{
	return blobs->ops->move ? blobs->ops->move(blobs, dirfd, name, st, ref, err) : BLOBS_STAYS;
}

size_t blobs_descriptors(const struct blobs *blobs, int fds[BLOBS_FDS])
{
	return blobs->ops->descriptors ? blobs->ops->descriptors(blobs, fds) : 0;
}

void blobs_forked(struct blobs *blobs)
{
	if (blobs->ops->forked)
		blobs->ops->forked(blobs);
}

void blobs_set_paranoid(struct blobs *blobs)
{
	blobs->paranoid = true;
}

bool blobs_has(struct blobs *blobs, const struct blob_ref *ref)
{
	return blobs->ops->has(blobs, ref, blobs->paranoid);
}

bool blobs_verify(struct blobs *blobs, const struct blob_ref *ref)
{
	return blobs->ops->has(blobs, ref, true);
}

bool blobs_find(struct blobs *blobs, struct blob_ref *ret)
{
	return blobs->ops->find(blobs, ret);
}

int blobs_walk(struct blobs *blobs, blobs_visit_fn visit, void *data, struct err *err)
{
	return blobs->ops->walk(blobs, visit, data, err);
}

int blobs_remove(struct blobs *blobs, const struct digest *digest, struct err *err)
{
	return blobs->ops->remove(blobs, digest, err);
}

int blobs_read(struct blobs *blobs, const struct blob_ref *ref, struct buf *buf, struct err *err)
{
	if (ref->size > buf->limit || buf->n > buf->limit - ref->size)
		return err_set(err, ERR_IO, "blob %s is larger (%llu bytes) than what may be read",
		               DIGEST_TEXT(&ref->digest), (unsigned long long)ref->size);
	return blobs->ops->read(blobs, ref, buf, err);
}

int blobs_open_fd(struct blobs *blobs, const struct blob_ref *ref, int *ret_fd, struct err *err)
{
	return blobs->ops->open_fd(blobs, ref, ret_fd, err);
}

bool blobs_is_miss(const struct err *err)
{
	return err->code == ERR_IO && err->sys == ENODATA;
}

int blobs_miss(const struct blob_ref *ref, const char *what, struct err *err)
{
	err_set(err, ERR_IO, "%s (blob %s) is missing from the store or corrupt", what,
	        DIGEST_TEXT(&ref->digest));
	err->sys = ENODATA;
	return err_hint(err, "run the same command again: what is missing is made or fetched anew");
}
