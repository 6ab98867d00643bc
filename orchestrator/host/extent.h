#ifndef KILN_HOST_EXTENT_H
#define KILN_HOST_EXTENT_H

#include <stdbool.h>
#include <stdint.h>

/* What a folder takes of its file system. */
struct extent {
	uint64_t bytes, inodes;
	bool whole; /* false: it goes deeper than was looked */
};

/* Adds up a folder while others may write to it; follows no link, leaves no file system. */
void extent_of(int dirfd, struct extent *ret);

#endif
