/* Names and stamps of blobs. */
#include "store/blob_file.h"

const char *blob_file_name(const struct digest *digest, char out[BLOB_NAME_SIZE])
{
	/* The first two digits go in front of the slash. */
	digest_hex(digest, out + 1);
	out[0] = out[1];
	out[1] = out[2];
	out[2] = '/';
	return out;
}

bool blob_file_is_good(const struct stat *st, uint64_t size)
{
	return S_ISREG(st->st_mode) && (uint64_t)st->st_size == size &&
	       st->st_mtim.tv_sec == BLOB_STAMP && st->st_mtim.tv_nsec == 0;
}
