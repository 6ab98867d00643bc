#ifndef KILN_HOST_STAMPS_H
#define KILN_HOST_STAMPS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/*
 * What a file system says of a file without reading it. Equal stamps mean equal content where they had
 * *settled* when it was read: a file that changes twice within one tick of its clock has the same stamps
 * twice (git's "racy" files). Stamps may only spare a reading, never decide.
 */
struct stamps {
	uint64_t dev, ino, size;
	int64_t mtime_ns, ctime_ns;
	uint32_t mode, zero; /* zero: so that all bytes are told, and two can be compared as such */
};

struct stamps stamps_of(const struct stat *st);
bool stamps_equal(const struct stamps *a, const struct stamps *b);
/* Whether both times are older, by a margin, than a moment (real clock, the files' own): a change after it
 * shows. */
bool stamps_settled(const struct stamps *stamps, int64_t moment_us);

#endif
