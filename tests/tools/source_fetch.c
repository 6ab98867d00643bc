/*
 * usage: source_fetch STORE LEAF-JSON RECIPE-DIR [DIR]
 * Brings one leaf into a store by the code of `build`, prints its fact, and lays it out in DIR.
 * Environment: OFFLINE, UPDATE (any value), MIRROR. Ends with kiln's exit statuses.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "host/fs.h"
#include "source/source.h"
#include "store/place.h"

enum { TEXT_MOST = 1 << 20 };

static void say(struct log *log, enum log_level level, const char *text)
{
	(void)log;
	(void)level;
	fprintf(stderr, "%s\n", text);
}

static int lay_out(struct store *store, const struct tree_node *node, const char *dir,
                   struct err *err)
{
	const struct checkout_options options = { .epoch = 1, .uid = -1, .gid = -1 };
	_cleanup_fd_ int fd = -1;

	if (fs_make_dirs(AT_FDCWD, dir, 0755, err) < 0 || fs_open_dir(AT_FDCWD, dir, &fd, err) != 0)
		return -1;
	return checkout_tree(store_blobs(store), &node->ref, fd, &options, err);
}

static int run(struct store *store, char **argv, json_t *leaf, struct err *err)
{
	const struct source_request request = { .id = "source",
		                                .leaf = leaf,
		                                .recipe_dir = argv[3],
		                                .mirror = getenv("MIRROR"),
		                                .offline = getenv("OFFLINE") != NULL,
		                                .update = getenv("UPDATE") != NULL };
	_cleanup_buf_ struct buf text = BUF_INIT(TEXT_MOST);
	struct source_result result = { 0 };
	struct log log = { .say = say };
	int rc = source_fetch(store, &request, &log, &result, err);

	if (rc < 0)
		return -1;
	json_object_set_new(result.fact, "tree", json_string(DIGEST_TEXT(&result.node.ref.digest)));
	json_write_pretty(result.fact, &text);
	fputs(buf_text(&text), stdout);
	if (argv[4])
		rc = lay_out(store, &result.node, argv[4], err);
	source_result_deinit(&result);
	return rc;
}

int main(int argc, char **argv)
{
	struct store *store = NULL;
	struct err err = ERR_INIT;
	json_t *leaf = NULL;
	int rc;

	if (argc < 4 || argc > 5) {
		fputs("usage: source_fetch STORE LEAF-JSON RECIPE-DIR [DIR]\n", stderr);
		return 2;
	}
	rc = json_parse(argv[2], strlen(argv[2]), "LEAF-JSON", &leaf, &err);
	if (rc == 0)
		rc = store_open(argv[1], &store, &err);
	if (rc == 0)
		rc = run(store, argv, leaf, &err);
	if (rc < 0)
		fprintf(stderr, "source_fetch: %s\n  %s\n  %s\n", err.cause, err.trail, err.hint);
	store_close(store);
	json_cleanup(&leaf);
	return rc < 0 ? err_exit_status(&err) : 0;
}
