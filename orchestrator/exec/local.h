#ifndef KILN_EXEC_LOCAL_H
#define KILN_EXEC_LOCAL_H

#include "exec/executor.h"
#include "exec/server.h"
#include "sandbox/spec.h"

/*
 * The executor of this machine: at most `slots` actions at a time, each with a runner to itself; what
 * is submitted beyond that waits in order. Blobs and images are read from, and blobs written to, the
 * store at store_dir.
 */
struct executor_local_options {
	struct runner_server *server;          /* outlives the executor */
	const char *store_dir;                 /* both folders must be there */
	const char *images_dir;                /* unpacked images: <hex tree digest>/root */
	const struct sandbox_runtime *runtime; /* probed by the caller */
	int userns_fd;                         /* what the probe gave; borrowed */
	int slots;
	bool paranoid; /* blobs_set_paranoid in the runners */
	bool said;     /* somebody asks for what stages said last */
};

int executor_local_new(const struct executor_local_options *options, struct executor **ret,
                       struct err *err);

#endif
