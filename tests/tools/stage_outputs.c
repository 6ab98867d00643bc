/*
 * usage: stage_outputs STORE SCRIPT OUTPUT
 * Runs a shell script as a stage: in a sandbox, its root made of this machine's programs, STORE a new
 * folder. Prints the digest of its output and two times in seconds: what the stage itself took, and
 * what Kiln took beside it (laying out, starting, hashing, taking in, tidying up).
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "exec/local.h"
#include "fakes/rootfs.h"
#include "host/clock.h"
#include "sandbox/spec.h"
#include "store/place.h"

enum { PATIENCE_MS = 600000, ACTION_MOST = 1 << 20 };

struct bench {
	struct executor *executor;
	struct blobs *blobs;
	struct arena *arena;
	struct digest image;
};

static int open_parts(struct bench *b, const char *dir, struct runner_server *server,
                      struct err *err)
{
	_cleanup_free_ char *images = path_join(dir, "images");
	_cleanup_free_ char *root = NULL;
	struct executor_local_options options = { .server = server,
		                                  .store_dir = dir,
		                                  .images_dir = images,
		                                  .runtime = &sandbox_bwrap,
		                                  .slots = 1 };

	memset(b->image.bytes, 0xab, sizeof(b->image.bytes));
	root = str_fmt("%s/%s/root", images, DIGEST_TEXT(&b->image));
	if (sandbox_bwrap.probe(NULL, err) < 0 || fake_rootfs_make(root, err) < 0 ||
	    blobs_open(dir, &b->blobs, err) < 0)
		return -1;
	return executor_local_new(&options, &b->executor, err);
}

/* The action's document in the store. */
static int put_action(struct bench *b, const char *script, struct action_output *output,
                      struct blob_ref *ret, struct err *err)
{
	const char *argv[] = { "sh", "-ec", script };
	struct action_env env[] = { { "HOME", "/tmp" }, { "PATH", "/usr/bin:/bin" } };
	struct action action = { .argv = argv,
		                 .n_argv = 3,
		                 .env = env,
		                 .n_env = 2,
		                 .workdir = "",
		                 .arch = "amd64",
		                 .image = &b->image,
		                 .outputs = output,
		                 .n_outputs = 1 };
	_cleanup_buf_ struct buf bytes = BUF_INIT(ACTION_MOST);
	struct blob_ref root;

	if (place_compose(b->blobs, NULL, 0, &root, err) < 0)
		return -1;
	action.input_root = &root;
	action_encode(&action, &bytes);
	return blobs_put(b->blobs, bytes.p, bytes.n, ret, err);
}

static int measure(struct bench *b, const struct blob_ref *action, struct err *err)
{
	const struct exec_request request = { .action = &action->digest,
		                              .action_size = action->size,
		                              .address = "bench/plain/outputs" };
	struct executor *e = b->executor;
	int64_t began = clock_mono_us(), took;
	struct exec_completion c;

	if (e->ops->submit(e, &request, err) < 0)
		return -1;
	if (e->ops->wait(e, b->arena, PATIENCE_MS, &c, err) != 0)
		return err_set(err, ERR_IO, "the stage did not end");
	took = clock_mono_us() - began;
	if (c.status == EXEC_BROKEN) {
		*err = c.err;
		return -1;
	}
	if (c.status != EXEC_OK)
		return err_set(err, ERR_STAGE, "the stage failed: %s", c.why ? c.why : "");
	printf("%s %.6f %.6f\n", DIGEST_TEXT(&c.result.outputs[0].node->ref.digest),
	       (double)c.result.wall_us / 1e6, (double)(took - c.result.wall_us) / 1e6);
	return 0;
}

static int run(char **argv, struct runner_server *server, struct err *err)
{
	struct bench b = { .arena = arena_new() };
	struct action_output output = { .path = argv[3] };
	struct blob_ref action;
	int rc = open_parts(&b, argv[1], server, err);

	if (rc == 0)
		rc = put_action(&b, argv[2], &output, &action, err);
	if (rc == 0)
		rc = measure(&b, &action, err);
	if (b.executor)
		b.executor->ops->free(b.executor);
	blobs_free(b.blobs);
	arena_free(b.arena);
	return rc;
}

int main(int argc, char **argv)
{
	struct runner_server *server = NULL;
	struct err err = ERR_INIT;
	int rc;

	if (argc != 4) {
		fputs("usage: stage_outputs STORE SCRIPT OUTPUT\n", stderr);
		return 2;
	}
	rc = runner_server_start(&server, &err);
	if (rc == 0)
		rc = run(argv, server, &err);
	runner_server_stop(server);
	if (rc < 0)
		fprintf(stderr, "stage_outputs: %s\n  %s\n  %s\n", err.cause, err.trail, err.hint);
	return rc < 0 ? err_exit_status(&err) : 0;
}
