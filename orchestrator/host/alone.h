#ifndef KILN_HOST_ALONE_H
#define KILN_HOST_ALONE_H

#include "base/err.h"

/*
 * Who measures needs the machine for himself; everybody else shares it. Two lock files for all users
 * of the machine (flock(2)): the *room*, held shared by whoever works and alone by who measures; and
 * the *gate*, which who measures holds from the moment he waits, so that those who work begin nothing
 * new and he is not kept waiting for ever. Both end with their process.
 *
 * Containers that share no /run/lock and no /tmp do not see each other.
 */
struct alone {
	int gate, room; /* -1: not open */
	enum { ALONE_OUT, ALONE_SHARING, ALONE_ALONE } state;
};

#define ALONE_INIT ((struct alone){ -1, -1, ALONE_OUT })

/* Outcome: not now; ask again later. */
enum { ALONE_BUSY = 1 };

/* Opens the locks in `dir`, NULL: /run/lock where everybody may write, else /tmp. */
int alone_open(struct alone *alone, const char *dir, struct err *err);
/* Before something new begins beside others, whether or not we share already. */
int alone_share(struct alone *alone, struct err *err);
/* Before something begins that nothing may run beside; nothing of ours runs. Our place at the gate is
 * kept from the first call on. */
int alone_take(struct alone *alone, struct err *err);
/* Nothing of ours runs any more. */
void alone_leave(struct alone *alone);
void alone_deinit(struct alone *alone);

#endif
