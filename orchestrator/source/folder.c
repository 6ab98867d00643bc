/* A folder or file beside the recipe, as it is now; unchanged files are not read again. */
#include <fcntl.h>

#include "base/alloc.h"
#include "base/path.h"
#include "host/fs.h"
#include "source/fetcher.h"
#include "store/folder.h"
#include "store/place.h"

enum { EXCLUDES_MOST = 256 };

static int folder_key(const struct fetch *fetch, json_t *key, bool *ret_pinned, struct err *err)
{
	const char *path, *fault;

	(void)key;
	*ret_pinned = false;
	if (fetch_str(fetch, "path", &path, err) < 0)
		return -1;
	fault = path_tree_fault(path);
	if (fault)
		return err_set(err, ERR_INPUT,
		               "%s: the folder \"%s\" %s (it is relative to the "
		               "recipe, and stays below it)",
		               fetch->where, path, fault);
	return 0;
}

static int ingest(const struct fetch *fetch, const char *path, const struct ingest_options *options,
                  struct tree_node *ret, struct err *err)
{
	_cleanup_free_ char *full = path_join(fetch->request->recipe_dir, path);
	_cleanup_fd_ int dir = -1;
	struct stat st;
	int rc = fs_stat(AT_FDCWD, full, &st, err);

	if (rc == 0 && S_ISDIR(st.st_mode))
		return ingest_folder(fetch->store, fetch->arena, full, options, ret, err);
	if (rc == 0)
		rc = fs_open_dir(AT_FDCWD, fetch->request->recipe_dir, &dir, err);
	if (rc)
		return rc;
	return ingest_file(fetch->store, fetch->arena, dir, fetch->request->recipe_dir, path,
	                   options, ret, err);
}

static int folder_run(const struct fetch *fetch, struct tree_node *ret_node, json_t *fact,
                      struct err *err)
{
	const json_t *list = json_object_get(fetch->request->leaf, "exclude");
	const char *exclude[EXCLUDES_MOST], *path;
	struct ingest_options options = { .exclude = exclude,
		                          .children = fetch_children(fetch),
		                          .blame = ERR_INPUT };
	struct tree_node node = { 0 };
	_cleanup_free_ char *uri = NULL;
	int rc;

	if (fetch_str(fetch, "path", &path, err) < 0)
		return -1;
	if (json_array_size(list) > EXCLUDES_MOST)
		return err_set(err, ERR_INPUT, "%s: more than %d exclusions", fetch->where,
		               EXCLUDES_MOST);
	for (size_t i = 0; i < json_array_size(list); i++)
		if (json_is_string(json_array_get(list, i)))
			exclude[options.n_exclude++] = json_string_value(json_array_get(list, i));
	options.shown = path;
	rc = ingest(fetch, path, &options, &node, err);
	if (rc < 0)
		return err_while(err, "taking in %s (%s)", path, fetch->where);
	if (rc > 0)
		return err_set(err, ERR_INPUT, "%s: there is no %s in %s", fetch->where, path,
		               fetch->request->recipe_dir);
	if (node.kind == NODE_LINK)
		return err_set(err, ERR_INPUT, "%s: %s is a symbolic link", fetch->where, path);
	uri = str_fmt("folder:%s", path);
	json_object_set_new(fact, "uri", json_string(uri));
	fetch_set_digest(fact, "digest", &node.ref.digest);
	*ret_node = node;
	return 0;
}

const struct fetcher fetcher_folder = { "folder", false, folder_key, folder_run };
