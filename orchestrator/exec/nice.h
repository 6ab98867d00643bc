#ifndef KILN_EXEC_NICE_H
#define KILN_EXEC_NICE_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Giving way to others. With the kernel's autogroups each session gets an equal share of the
 * processor, whatever the niceness of the processes in it: what counts between stages is the
 * session's own. Without them, or in a cgroup that shares the processor out, it is the process's.
 */

/* For this process and what it starts. */
void nice_process(int value);
/*
 * For the session that this process leads. False: try again, because it leads none yet or because
 * the kernel takes such a request from plain users only ten times a second. True: set, or nothing
 * that trying again mends.
 */
bool nice_session(pid_t leader, int value);

#endif
