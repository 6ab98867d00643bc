#ifndef KILN_HOST_FAILPOINT_H
#define KILN_HOST_FAILPOINT_H

#include <stdbool.h>

/*
 * Named places where a call of the kernel or of a library can fail, so that tests can make each of them
 * fail: `if (failpoint("blob-rename") || renameat(…) < 0) return err_sys(…);`. True with errno set:
 * fail here. Costs a look at one variable where nothing is asked for.
 *
 * KILN_FAILPOINT=NAME:N[:HOW] asks for the N-th passing of NAME ("*": of any), counted from 1:
 *   (nothing)  fails with ENOSPC
 *   a number   fails with that errno
 *   kill       the process ends by SIGKILL
 *   halt       the process stands still, for who wants to end all of Kiln at that moment
 * KILN_FAILPOINT_RECORD=FILE makes one count of what all processes pass; else each counts for itself. The
 * file is there and has some size: it is mapped, so that it is whole whoever is killed. It begins with a
 * struct failpoint_head, followed by names of FAILPOINT_NAME bytes in the order of passing.
 */
enum { FAILPOINT_NAME = 32 };

struct failpoint_head {
	unsigned int passed; /* of all names; those that do not fit into the file are counted too */
	unsigned int matched; /* of the one asked for */
	int struck;           /* the process that came to what was asked for, 0 before */
	char unused[FAILPOINT_NAME - 3 * sizeof(int)];
};

/* Reads what is asked for from the environment. Children inherit it by fork, not from theirs. */
void failpoint_arm(void);
bool failpoint(const char *name);

#endif
