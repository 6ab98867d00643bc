#ifndef KILN_EXEC_WIRE_H
#define KILN_EXEC_WIRE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "exec/executor.h"

/*
 * The messages between the main process and a runner: a request, the reply, and before that any number
 * of lines that the stage said. Both ends are the same program on the same machine, so numbers are
 * eight bytes as they lie in memory and texts have a length before.
 */
enum { WIRE_REQUEST_MAX = 64 << 10, WIRE_REPLY_MAX = 64 << 20 };

struct runner_request {
	const char *store_dir, *images_dir; /* absolute */
	const char *runtime;                /* a name in the runtime table */
	const char *address;
	struct digest action;
	uint64_t action_size;
	int64_t epoch, timeout_ms;
	int jobs, nice;
	const char *dev; /* exec/dev.h; "": none */
	enum jobserver_style jobs_style;
	const char *jobs_dir;                  /* absolute; "" with JOBSERVER_NONE */
	int64_t memory, disk, processes;       /* 0: what holds for all */
	bool paranoid;                         /* blobs_set_paranoid */
	bool said;                             /* the stage's last line is asked for */
	const struct sandbox_network *network; /* NULL: none */
	int userns_fd; /* what sandboxes start from; goes beside the message; 0: none */
};

struct runner_reply {
	enum exec_status status;
	const char *why; /* EXEC_FAILED */
	bool outside;    /* … by a SIGKILL that is not Kiln's */
	bool copied;     /* it was carried out again, its inputs copied */
	struct err err;  /* EXEC_BROKEN */
	struct result result;
	uint64_t bytes_in, bytes_out; /* of the files laid out, and of those taken as outputs */
};

void wire_put_request(const struct runner_request *request, struct buf *buf);
/* Strings point into the arena. -1: malformed (ERR_BUG). */
int wire_take_request(struct arena *arena, struct str bytes, struct runner_request *ret,
                      struct err *err);
void wire_put_reply(struct runner_reply *reply, struct buf *buf);
/* One line; shorter than PIPE_BUF, so that a pipe takes all of it or nothing. */
void wire_put_said(const char *line, struct buf *buf);
/* Takes the lines that came whole off the front; *ret is the last one, and stays as it is where there is
 * none. Returns how many bytes they were. */
size_t wire_take_said(struct str bytes, struct str *ret);
/* -1: not whole (ERR_IO), as after a runner that was killed while it wrote. */
int wire_take_reply(struct arena *arena, struct str bytes, struct runner_reply *ret,
                    struct err *err);

#endif
