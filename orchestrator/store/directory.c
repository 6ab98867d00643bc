/* The one place where Directory messages meet blobs. */
#include "store/directory.h"

enum { DIRECTORY_MOST = 256 << 20 };

int directory_load(struct blobs *blobs, struct arena *arena, const struct blob_ref *ref,
                   struct tree_dir *ret, struct err *err)
{
	_cleanup_buf_ struct buf buf = BUF_INIT(DIRECTORY_MOST);
	struct blob_ref empty;
	int rc;

	tree_empty_ref(&empty);
	if (digest_eq(&ref->digest, &empty.digest)) {
		*ret = (struct tree_dir){ 0 };
		return 0;
	}
	rc = blobs_read(blobs, ref, &buf, err);
	if (rc == BLOBS_MISS)
		return blobs_miss(ref, "the listing of a directory", err);
	if (rc < 0)
		return -1;
	if (tree_dir_decode(arena, buf_str(&buf), ret, err) < 0)
		return err_while(err, "reading directory %s", DIGEST_TEXT(&ref->digest));
	return 0;
}

int directory_save(struct blobs *blobs, struct tree_dir *dir, struct blob_ref *ret, struct err *err)
{
	_cleanup_buf_ struct buf buf = BUF_INIT(DIRECTORY_MOST);

	tree_dir_encode(dir, &buf);
	if (buf.overflow)
		return err_set(err, ERR_INPUT, "a directory has too many entries (%zu)", dir->n);
	return blobs_put(blobs, buf_text(&buf), buf.n, ret, err);
}
