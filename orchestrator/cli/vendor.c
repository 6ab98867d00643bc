/* Fetching in an image: one action with a network, run by an executor of its own. */
#include "cli/vendor.h"

#include <string.h>

#include "base/path.h"
#include "cli/runtime.h"
#include "exec/local.h"
#include "external/crypto.h"
#include "host/clock.h"
#include "model/lock.h"
#include "sandbox/network.h"
#include "store/blobs.h"

enum { ACTION_MOST = 1 << 20, TICK_MS = 250, GRACE_MS = 60 * 1000, TIMEOUT_MS = 30 * 60 * 1000 };

bool vendor_is(const struct recipe_leaf *leaf)
{
	return json_str_or(leaf->spec, "image", NULL) != NULL;
}

/* Puts the action where its runner finds it. */
static int put_action(struct session *s, struct action *action, struct blob_ref *ret,
                      struct err *err)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(ACTION_MOST);

	action_encode(action, &bytes);
	return blobs_put(store_blobs(s->store), bytes.p, bytes.n, ret, err);
}

static int take_completion(const struct exec_completion *done, struct result *ret,
                           const char **ret_why, struct err *err)
{
	switch (done->status) {
	case EXEC_OK:
	case EXEC_FAILED:
		*ret = done->result;
		*ret_why = done->why;
		return done->status == EXEC_OK ? 0 : SOURCE_RAN_BADLY;
	case EXEC_BROKEN:
		*err = done->err;
		return -1;
	case EXEC_CANCELLED:
		break;
	}
	return err_set(err, ERR_INTERRUPTED, "the fetching was cancelled");
}

static int submit_and_wait(struct session *s, struct executor *executor, struct arena *arena,
                           const struct blob_ref *action, struct exec_completion *ret,
                           struct err *err)
{
	struct sandbox_network network;
	const struct exec_request request = {
		.action = &action->digest,
		.action_size = action->size,
		.address = "fetching",
		.timeout_ms = TIMEOUT_MS,
		.jobs = s->cli->jobs > 0 ? (int)s->cli->jobs : 1,
		.network = &network,
	};
	int64_t latest;
	int rc;

	sandbox_network_of_machine(arena, &network);
	rc = executor->ops->submit(executor, &request, err);
	if (rc < 0)
		return -1;
	latest = clock_mono_us() + (TIMEOUT_MS + GRACE_MS) * INT64_C(1000);
	while ((rc = executor->ops->wait(executor, arena, TICK_MS, ret, err)) == EXECUTOR_IDLE &&
	       clock_mono_us() < latest)
		working_tick(s->cli);
	return rc > 0 ? err_set(err, ERR_IO, "the fetching ended without an answer") : rc;
}

/* A struct source_runner's run. */
static int run_action(void *data, struct arena *arena, struct action *action, struct result *ret,
                      const char **ret_why, struct err *err)
{
	struct session *s = data;
	_cleanup_free_ char *images = path_join(store_dir(s->store), "images");
	struct exec_completion done = { .err = ERR_INIT };
	struct executor *executor;
	struct blob_ref ref;
	int rc;

	if (session_choose_runtime(s, err) < 0 || put_action(s, action, &ref, err) < 0)
		return -1;
	const struct executor_local_options options = {
		.server = s->cli->server,
		.store_dir = store_dir(s->store),
		.images_dir = images,
		.runtime = s->runtime,
		.userns_fd = s->userns_fd,
		.slots = 1,
	};
	if (executor_local_new(&options, &executor, err) < 0)
		return -1;
	rc = submit_and_wait(s, executor, arena, &ref, &done, err);
	executor->ops->free(executor);
	return rc < 0 ? -1 : take_completion(&done, ret, ret_why, err);
}

int vendor_fill(struct session *s, const struct recipe_leaf *leaf, struct source_request *request,
                struct source_runner *runner, struct err *err)
{
	const char *source = json_str_or(leaf->spec, "source", "");
	const char *image = json_str_or(leaf->spec, "image", "");
	const struct fact_leaf *from = map_get(s->facts.leaves, source);
	const struct fact_image *in = map_get(s->facts.images, image);

	if (!from || !in)
		return err_set(err, ERR_INPUT,
		               "%s: the source \"%s\" needs %s \"%s\", and there is none",
		               json_str_or(leaf->spec, "where", s->recipe_path), leaf->id,
		               from ? "the image" : "the source", from ? image : source);
	*runner = (struct source_runner){ in->tree, s->facts.arch, run_action, s };
	request->source = &from->node;
	request->runner = runner;
	return 0;
}

int vendor_check(struct session *s, const struct recipe_leaf *leaf, const json_t *fact,
                 struct err *err)
{
	const json_t *pin = s->update ? NULL : lock_source(s->lock, s->recipe.name, leaf->id);
	const char *pinned = json_str_or(pin, "digest", NULL);
	const char *got = json_str_or(fact, "digest", "?");

	if (!pinned || str_eq(pinned, got))
		return 0;
	err_set(err, ERR_INPUT, "%s: %s pins the tree of the source \"%s\" as %s, but it is %s",
	        json_str_or(leaf->spec, "where", s->recipe_path), s->lock_path, leaf->id, pinned,
	        got);
	return err_hint(err, "did Cargo.lock change? `kiln lock` pins what it names now; if it did "
	                     "not, find out who serves other crates than before");
}
