#ifndef KILN_EXEC_JOBSERVER_H
#define KILN_EXEC_JOBSERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/*
 * The job server: one pool of tokens for all that runs, by the protocol of GNU make (its manual,
 * "Job Slots"): a client reads a byte before it starts one job more than its first, and writes it
 * back when that ends. Each stage has a fifo of its own, so that what one does to its tokens touches
 * no other: bytes that it keeps come back to the pool when it has ended, bytes that it was never lent
 * are dropped.
 *
 * A byte in a fifo is *offered*; one that is gone from there is *lent*. Nobody can see who waits at a
 * fifo, so an offer that is not taken moves, at some later sharing, to a stage that takes all it gets.
 */
struct jobserver;

/* How a stage's programs are told. */
enum jobserver_style {
	JOBSERVER_NONE,
	JOBSERVER_FIFO, /* by a path: make 4.4 and later, cargo, ninja 1.13 and later */
	JOBSERVER_PIPE, /* by two descriptors: make before that, which ends at a fifo's path */
};

/* Its fifos lie in a folder of STORE/work, and are gone with the process. */
int jobserver_new(const char *store_dir, struct jobserver **ret, struct err *err);
struct jobserver *jobserver_free(struct jobserver *js);

/* A stage starts. *ret_dir, absolute, is a folder that holds its fifo, JOBSERVER_FILE; it is the job
 * server's until jobserver_close. */
#define JOBSERVER_FILE "jobs"
int jobserver_open(struct jobserver *js, uint64_t stage, const char **ret_dir, struct err *err);

struct jobserver_end {
	int most;    /* lent at once */
	int kept;    /* not given back; the pool has them again */
	int surplus; /* given back without having been lent; dropped */
};
/* It has ended, with all its processes. One that was never opened is fine. */
void jobserver_close(struct jobserver *js, uint64_t stage, struct jobserver_end *ret);

/* Offers tokens, or takes offers back, so that no more than `tokens` are offered and lent. What is lent
 * stays so until it comes back. */
void jobserver_share(struct jobserver *js, int tokens);
/* How many are lent now, to all stages or to one. */
int jobserver_lent(struct jobserver *js);
int jobserver_lent_to(struct jobserver *js, uint64_t stage);
/* Readable when something came back since the last jobserver_share. */
int jobserver_fd(const struct jobserver *js);

#endif
