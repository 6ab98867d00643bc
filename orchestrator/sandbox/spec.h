#ifndef KILN_SANDBOX_SPEC_H
#define KILN_SANDBOX_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "model/action.h"
#include "sandbox/network.h"
#include "sandbox/stage.h"

/*
 * What one process keeps for all sandboxes that it prepares, one after the other: mounts, and what is the same
 * each time. Zero is nothing yet.
 */
enum { SANDBOX_DATA = 6 };

struct sandbox_common {
	struct staging staging;
	char *program;          /* bubblewrap */
	int data[SANDBOX_DATA]; /* files that it reads from their begin; 0: none */
};

/* Also unmounts. A second time nothing happens. */
void sandbox_common_deinit(struct sandbox_common *common);

/*
 * What runs, in which root, with which limits. Host paths are absolute. The work folder stands at
 * /build inside, the image at /, /tmp is private and bounded, there is no network but for what Kiln
 * itself fetches.
 */
struct sandbox_spec {
	const char *rootfs;  /* unpacked image, or NULL for a builtin's empty root */
	const char *work;    /* host folder bound at /build, writable */
	const char *place;   /* host folder above it, the same for all that one process prepares,
	                                 that the build user may go through; NULL: none */
	const char *workdir; /* tree path below /build, "" */
	const char *const *argv;      /* NULL-ended */
	const struct action_env *env; /* the whole environment, sorted */
	size_t n_env;
	bool fixed_addresses;
	const struct sandbox_network *network; /* NULL: none */
	const char *jobs;                      /* host folder of the job server's fifo, bound
	                                          read-only at SANDBOX_JOBS; as for the one above it,
	                                          see place; NULL: none */
	int jobs_fds[2];   /* both ends of it, which the program inherits; 0: none */
	int64_t tmp_bytes; /* size of /tmp and of /dev/shm; 0: 1 GiB */
	int stdin_fd, stdout_fd, stderr_fd;
	int status_fd; /* the runtime writes "exit-code" to it, among other things, once the
	                       program has ended; without that it was never started */
	int userns_fd; /* the user namespace to start from; 0: the caller's */
	pid_t runner;  /* the caller of prepare and parent of who enters: dies with it */
	struct sandbox_common *common; /* of the process that prepares */
	struct bwrap_args *args;       /* load's; NULL: nothing is loaded */
	/* prepare's: where work and jobs stand for the dropped uid. */
	char staged_work[64], staged_jobs[64];
};

#define SANDBOX_JOBS "/dev/kiln"

/*
 * A sandbox runtime. `probe` says whether it can run here (0, or -1 with ERR_MACHINE and the one
 * line that mends it); *ret_userns_fd is what its sandboxes start from, the caller's to close, or 0
 * (NULL: only asked). `prepare` runs in the runner with its own identity (mounts, folders), and so does
 * `load`, when the streams are known; `enter` runs in the runner's child, drops privileges and execs: it
 * returns only on failure. `unload` frees what was loaded, if anything was. `premises` says what the probe's
 * answer depends on beside the user and the machine's run (0, or -1 where that cannot be told): as long as it
 * is the same, it need not be asked again. NULL: it is asked each time.
 */
struct sandbox_runtime {
	const char *name;
	bool pinned; /* false: what it runs is marked unpinned (the host runtime) */
	bool needs_rootfs;
	bool only_execs; /* enter changes nothing but its own process, whose memory may be the runner's */
	const char *trial; /* what must succeed on a command line where this runtime works; NULL */
	int (*probe)(int *ret_userns_fd, struct err *err);
	int (*premises)(struct buf *ret);
	int (*prepare)(struct sandbox_spec *spec, struct err *err);
	int (*load)(struct sandbox_spec *spec,
	            struct err *err); /* NULL with unload: nothing to do */
	int (*enter)(const struct sandbox_spec *spec, struct err *err);
	void (*unload)(struct sandbox_spec *spec);
};

extern const struct sandbox_runtime sandbox_bwrap;
extern const struct sandbox_runtime sandbox_podman;
extern const struct sandbox_runtime sandbox_host;
/* NULL-ended. The first that works is taken; what is not pinned only when somebody asks for it. */
extern const struct sandbox_runtime *const sandbox_runtimes[];
/* By name, or NULL. */
const struct sandbox_runtime *sandbox_find(const char *name);
int sandbox_load(const struct sandbox_runtime *runtime, struct sandbox_spec *spec, struct err *err);
void sandbox_unload(const struct sandbox_runtime *runtime, struct sandbox_spec *spec);

#endif
