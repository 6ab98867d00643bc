/* From struct stat to stamps. */
#include "host/stamps.h"

#include <string.h>

/* Coarser than the time stamps of any file system in use (FAT has two seconds). */
enum { MARGIN_US = 2500000 };

static int64_t ns_of(const struct timespec *time)
{
	return (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

struct stamps stamps_of(const struct stat *st)
{
	return (struct stamps){
		.dev = (uint64_t)st->st_dev,
		.ino = (uint64_t)st->st_ino,
		.size = (uint64_t)st->st_size,
		.mtime_ns = ns_of(&st->st_mtim),
		.ctime_ns = ns_of(&st->st_ctim),
		.mode = (uint32_t)st->st_mode,
	};
}

bool stamps_equal(const struct stamps *a, const struct stamps *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool stamps_settled(const struct stamps *stamps, int64_t moment_us)
{
	int64_t newest = stamps->mtime_ns > stamps->ctime_ns ? stamps->mtime_ns : stamps->ctime_ns;

	return newest / 1000 <= moment_us - MARGIN_US;
}
