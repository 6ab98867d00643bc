/* From goals to content. */
#include "cli/outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "host/failpoint.h"
#include "host/fs.h"
#include "host/tmpfile.h"
#include "store/place.h"

static const char aside_purpose[] = ".kiln-output";

int outputs_node(struct session *s, const struct plan *plan, const struct engine_result *result,
                 const struct plan_goal *goal, struct tree_node *ret, struct err *err)
{
	const struct plan_node *node = &plan->nodes[goal->node];
	int rc;

	if (node->pinned) {
		*ret = *node->pin;
		return 0;
	}
	rc = engine_output(store_blobs(s->store), s->arena, result->nodes[goal->node].result,
	                   goal->path, ret, err);
	if (rc == PLACE_MISSING)
		return err_set(err, ERR_INPUT, "%s has no output \"%s\"", node->stage->address,
		               goal->path);
	return rc;
}

/* A file at the place gives way, and an empty folder; one that holds something is somebody's. */
static int check_place(int fd, const char *dir, const char *name, struct err *err)
{
	if (unlinkat(fd, name, AT_REMOVEDIR) == 0 || (errno != ENOTEMPTY && errno != EEXIST))
		return 0;
	err_set(err, ERR_USAGE, "%s/%s is a folder that holds files: nothing was written", dir,
	        name);
	return err_hint(err, "move it away, or name another folder");
}

/* Only what is whole comes to its place, and only then does what was there go. */
static int put_in_place(int from, int to, const struct tree_node *node, const char *name,
                        struct err *err)
{
	if (node->kind == NODE_DIR && fs_remove_tree(to, name, err) < 0)
		return -1;
	if (failpoint("output-rename") || renameat(from, name, to, name) < 0)
		return err_sys(err, ERR_IO, "cannot put %s in place", name);
	return 0;
}

int outputs_copy(struct session *s, const struct tree_node *node, const char *dir, const char *name,
                 struct err *err)
{
	const struct checkout_options options = { .epoch = s->facts.epoch, .uid = -1, .gid = -1 };
	_cleanup_fd_ int fd = -1;
	struct tmpdir aside = { 0 };
	int rc;

	if (fs_make_dirs(AT_FDCWD, dir, 0777, err) < 0)
		return -1;
	rc = fs_open_dir(AT_FDCWD, dir, &fd, err);
	if (rc < 0)
		return -1;
	if (rc == FS_MISSING)
		return err_set(err, ERR_IO, "%s is no folder", dir);
	tmpdir_sweep(fd, aside_purpose); /* of who was killed when all was in place, too */
	if (check_place(fd, dir, name, err) < 0)
		return -1;
	if (tmpdir_init(&aside, fd, aside_purpose, err) < 0)
		return -1;
	rc = checkout_node(store_blobs(s->store), node, aside.fd, name, &options, err);
	if (rc == 0)
		rc = put_in_place(aside.fd, fd, node, name, err);
	tmpdir_deinit(&aside);
	return rc;
}

int outputs_smoke(struct session *s, const struct plan *plan, const struct engine_result *result,
                  const struct plan_goal *goal, json_t **ret, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(16 << 20);
	struct tree_node node;
	int rc;

	if (outputs_node(s, plan, result, goal, &node, err) < 0)
		return -1;
	rc = blobs_read(store_blobs(s->store), &node.ref, &text, err);
	if (rc == BLOBS_MISS)
		return err_set(err, ERR_IO, "the store lost %s", goal->smoke->stage);
	if (rc < 0)
		return -1;
	return json_parse(buf_text(&text), text.n, "smoke.json", ret, err);
}
