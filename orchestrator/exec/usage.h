#ifndef KILN_EXEC_USAGE_H
#define KILN_EXEC_USAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What processes hold at a moment, by /proc: memory that is resident. What they wrote into a file system in
 * memory, /tmp for one, is not theirs. */
struct usage {
	uint64_t bytes;
	size_t processes;
};

/*
 * Of all that descend from a process, itself not counted. Pages that several share are counted for each;
 * where that comes to more than `most`, they are looked at closer, each by its share (proc(5), Pss), as
 * far as the kernel lets this process. False where /proc says nothing.
 */
bool usage_below(pid_t root, uint64_t most, struct usage *ret);

#endif
