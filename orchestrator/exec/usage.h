#ifndef KILN_EXEC_USAGE_H
#define KILN_EXEC_USAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What processes hold at a moment, by /proc: memory that is resident, and the processes and threads. */
struct usage {
	uint64_t bytes;
	uint64_t tasks;
};

/*
 * Of all that descend from a process, itself not counted. Pages that several share are counted for each;
 * where that comes to more than `most`, they are looked at closer, each by its share (proc(5), Pss), as
 * far as the kernel lets this process. What stands in the /tmp and /dev/shm of `inner`, where these are
 * not this process's own, is memory too. False where /proc says nothing.
 */
bool usage_below(pid_t root, pid_t inner, uint64_t most, struct usage *ret);
/* Processes in the PID namespace of `inner`, by its own /proc: few calls, where a bomb leaves few. 0 where
 * it has none that this process may look into. */
uint64_t usage_inside(pid_t inner);
/* Threads of the whole machine, and memory that it has left: reading them costs next to nothing. */
uint64_t usage_machine_tasks(void);
uint64_t usage_machine_left(void);

#endif
