#ifndef KILN_EXEC_USAGE_H
#define KILN_EXEC_USAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What processes hold at a moment, by /proc: memory that is resident, pages that several share counted
 * for each. */
struct usage {
	uint64_t bytes;
	size_t processes;
};

/* Of all that descend from a process, itself not counted. False where /proc says nothing. */
bool usage_below(pid_t root, struct usage *ret);

#endif
