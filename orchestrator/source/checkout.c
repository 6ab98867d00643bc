/*
 * The repository that the recipe lies in: its tracked files, as they lie there (for builds while one
 * works) or as HEAD holds them (for releases). The date is the commit's.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "base/path.h"
#include "model/lock.h"
#include "source/commit.h"
#include "source/fetcher.h"
#include "source/repo_seen.h"
#include "store/flat.h"
#include "store/folder.h"
#include "store/place.h"

enum { EXCLUDES_MOST = 256, DEPTH_MOST = 10, ATTRIBUTES_MOST = 1 << 20 };

struct submodule {
	char *path;
	struct git_repo repo;
};

struct checkout {
	const struct fetch *fetch;
	struct git_repo repo;
	char *own; /* the recipe's folder below the repository's; "" where it is the same */
	const char *exclude[EXCLUDES_MOST];
	size_t n_exclude;
	ARRAY(struct submodule) submodules;
	struct map *tracked; /* paths of files and of the folders on their way */
};

/* ---- which repository --------------------------------------------------------------------- */

static int open_repo(struct checkout *c, struct err *err)
{
	const struct fetch *fetch = c->fetch;
	int rc = git_open(fetch->request->recipe_dir, &c->repo, err);

	if (rc < 0)
		return -1;
	if (rc == GIT_NONE) {
		err_set(err, ERR_INPUT, "%s: checkout: %s lies in no git repository", fetch->where,
		        fetch->request->recipe_dir);
		return err_hint(err, "make it one (git init; git add .; git commit), or name a "
		                     "folder: source = folder \"src\"");
	}
	if (c->repo.head)
		return 0;
	err_set(err, ERR_INPUT, "%s: checkout: nothing is committed yet in %s", fetch->where,
	        c->repo.top);
	return err_hint(err, "commit first (git add .; git commit): the commit gives the release "
	                     "its date");
}

/* ---- which files -------------------------------------------------------------------------- */

/* The recipe's folder below the repository's; "" also where that cannot be said. */
static char *find_own(const struct checkout *c)
{
	_cleanup_free_ char *dir = realpath(c->fetch->request->recipe_dir, NULL);
	size_t n = strlen(c->repo.top);

	return str_dup(dir && strncmp(dir, c->repo.top, n) == 0 && dir[n] == '/' ? dir + n + 1 :
	                                                                           "");
}

/*
 * The lock and what it pins are about the source: as a part of it they could never be. Nor is the
 * recipe: a package more, and no profile would fit any longer. They lie at the root or where the
 * recipe lies; files of that name elsewhere are the project's.
 */
static bool is_about(const struct checkout *c, const char *path)
{
	static const char *const names[] = { RECIPE_FILE, LOCK_FILE, LOCK_PROFILES, ".kiln" };
	const char *name = path_base(path);
	_cleanup_free_ char *dir = str_dup_n(path, name > path ? (size_t)(name - path) - 1 : 0);

	if (dir[0] && !str_eq(dir, c->own))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq(name, names[i]))
			return true;
	return false;
}

static bool is_excluded(const struct checkout *c, const char *path)
{
	if (is_about(c, path))
		return true;
	for (size_t i = 0; i < c->n_exclude; i++)
		if (str_glob(c->exclude[i], path))
			return true;
	return false;
}

/* A path that is left out leaves out what is below it. */
static bool is_kept(const void *data, const char *path)
{
	const struct checkout *c = data;
	_cleanup_free_ char *part = str_dup(path);

	for (char *slash = part; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (is_excluded(c, part))
			return false;
		*slash = '/';
	}
	return !is_excluded(c, path);
}

static bool is_tracked(const void *data, const char *path)
{
	const struct checkout *c = data;

	return map_has(c->tracked, path);
}

static void track(struct checkout *c, const char *path)
{
	_cleanup_free_ char *part = str_dup(path);
	char *slash;

	map_set(c->tracked, path, c);
	while ((slash = strrchr(part, '/'))) {
		*slash = '\0';
		if (map_has(c->tracked, part))
			return;
		map_set(c->tracked, part, c);
	}
}

static int track_repo(struct checkout *c, const struct git_repo *repo, const char *below, int depth,
                      struct err *err);

static int track_submodule(struct checkout *c, const struct git_repo *parent, const char *name,
                           const char *path, int depth, struct err *err)
{
	struct git_repo sub;

	store_saw_more(c->fetch->store);
	if (depth >= DEPTH_MOST)
		return err_set(err, ERR_INPUT, "%s: submodules are nested too deeply: %s",
		               c->fetch->where, path);
	if (commit_open_submodule(c->fetch, parent, name, &sub, err) < 0)
		return -1;
	array_push(&c->submodules, ((struct submodule){ str_dup(path), sub }));
	return track_repo(c, &sub, path, depth + 1, err);
}

/* What is tracked and no part of the source counts all the same as changed, or not. */
static void saw_entry(const struct checkout *c, const struct git_entry *entry, const char *path)
{
	_cleanup_free_ char *full = path_join(c->repo.top, path);

	if (entry->mode == 0160000 || entry->mode == 0120000)
		store_saw_more(c->fetch->store);
	else
		store_saw_file(c->fetch->store, full);
}

static int track_repo(struct checkout *c, const struct git_repo *repo, const char *below, int depth,
                      struct err *err)
{
	struct git_entries entries = { 0 };
	int rc = git_list(repo, NULL, &entries, err);

	for (size_t i = 0; rc == 0 && i < entries.list.n; i++) {
		const struct git_entry *entry = &entries.list.v[i];
		_cleanup_free_ char *path = path_join(below, entry->path);

		if (!is_kept(c, path)) {
			saw_entry(c, entry, path);
			continue;
		}
		if (entry->mode == 0160000)
			rc = track_submodule(c, repo, entry->path, path, depth, err);
		else
			track(c, path);
	}
	git_entries_deinit(&entries);
	return rc;
}

/* ---- as they lie there -------------------------------------------------------------------- */

struct lfs {
	struct checkout *c;
	struct arena *arena;
	ARRAY(struct flat_entry) entries;
	size_t followed;
	bool used; /* some .gitattributes says so */
};

static int look_for_lfs(void *data, const char *path, const struct tree_node *node, struct err *err)
{
	struct lfs *lfs = data;
	_cleanup_buf_ struct buf text = BUF_INIT(ATTRIBUTES_MOST);

	if (lfs->used || node->kind != NODE_FILE || !str_eq(path_base(path), ".gitattributes") ||
	    node->ref.size > ATTRIBUTES_MOST)
		return 0;
	if (blobs_read(store_blobs(lfs->c->fetch->store), &node->ref, &text, err) != 0)
		return err->code ? -1 : blobs_miss(&node->ref, path, err);
	lfs->used = strstr(buf_text(&text), "filter=lfs") != NULL;
	return 0;
}

/* Whose file it is: the innermost submodule's, which comes last, or the repository's own. */
static const struct git_repo *repo_of(const struct checkout *c, const char *path)
{
	for (size_t i = c->submodules.n; i-- > 0;)
		if (path_is_below(path, c->submodules.v[i].path))
			return &c->submodules.v[i].repo;
	return &c->repo;
}

static int follow(void *data, const char *path, const struct tree_node *node, struct err *err)
{
	struct lfs *lfs = data;
	struct tree_node copy = *node;

	if (node->kind == NODE_DIR)
		return 0;
	if (node->kind == NODE_FILE &&
	    commit_follow_pointer(lfs->c->fetch, repo_of(lfs->c, path), path, &copy.ref, err) < 0)
		return -1;
	lfs->followed += !digest_eq(&copy.ref.digest, &node->ref.digest);
	if (node->kind == NODE_LINK)
		copy.target = arena_str(lfs->arena, node->target);
	array_push(&lfs->entries, ((struct flat_entry){ arena_str(lfs->arena, path), copy }));
	return 0;
}

/* A clone whose LFS content was not brought in has pointers in its place. */
static int follow_pointers(struct checkout *c, struct tree_node *node, struct err *err)
{
	struct blobs *blobs = store_blobs(c->fetch->store);
	struct lfs lfs = { .c = c, .arena = arena_new() };
	int rc = tree_walk(blobs, &node->ref, look_for_lfs, &lfs, err);

	if (lfs.used)
		store_saw_more(c->fetch->store);
	if (rc == 0 && lfs.used)
		rc = tree_walk(blobs, &node->ref, follow, &lfs, err);
	if (rc == 0 && lfs.followed)
		rc = flat_save(blobs, lfs.entries.v, lfs.entries.n, &node->ref, err);
	array_deinit(&lfs.entries);
	arena_free(lfs.arena);
	return rc;
}

static int take_lying(struct checkout *c, struct tree_node *ret, struct err *err)
{
	const struct ingest_options options = {
		.keep = is_tracked,
		.keep_data = c,
		.children = fetch_children(c->fetch),
		.shown = c->repo.top,
		.blame = ERR_INPUT,
	};
	int rc;

	c->tracked = map_new();
	rc = track_repo(c, &c->repo, "", 0, err);
	if (rc == 0)
		rc = ingest_folder(c->fetch->store, c->fetch->arena, c->repo.top, &options, ret,
		                   err);
	map_free(c->tracked);
	if (rc > 0)
		return err_set(err, ERR_IO, "%s vanished", c->repo.top);
	return rc < 0 ? -1 : follow_pointers(c, ret, err);
}

/* ---- the fetcher -------------------------------------------------------------------------- */

static int checkout_key(const struct fetch *fetch, json_t *key, bool *ret_pinned, struct err *err)
{
	const json_t *list = json_object_get(fetch->request->leaf, "exclude");

	(void)key;
	*ret_pinned = false;
	if (json_array_size(list) > EXCLUDES_MOST)
		return err_set(err, ERR_INPUT, "%s: more than %d exclusions", fetch->where,
		               EXCLUDES_MOST);
	return 0;
}

static int describe(struct checkout *c, const struct tree_node *node, json_t *fact, struct err *err)
{
	_cleanup_free_ char *uri = str_fmt("git:commit/%s", c->repo.head), *first = NULL;
	size_t n = 0;

	if (git_changed(&c->repo, &n, &first, err) < 0)
		return -1;
	json_object_set_new(fact, "uri", json_string(uri));
	json_object_set_new(fact, "commit", json_string(c->repo.head));
	json_object_set_new(fact, "date", json_integer(c->repo.time));
	json_object_set_new(fact, "changed", json_integer((json_int_t)n));
	fetch_set_digest(fact, "digest", &node->ref.digest);
	return 0;
}

static int checkout_run(const struct fetch *fetch, struct tree_node *ret_node, json_t *fact,
                        struct err *err)
{
	const json_t *list = json_object_get(fetch->request->leaf, "exclude");
	struct checkout c = { .fetch = fetch };
	struct tree_node node = { 0 };
	int rc;

	for (size_t i = 0; i < json_array_size(list); i++)
		if (json_is_string(json_array_get(list, i)))
			c.exclude[c.n_exclude++] = json_string_value(json_array_get(list, i));
	rc = open_repo(&c, err);
	c.own = rc == 0 ? find_own(&c) : NULL;
	if (rc == 0 && fetch->request->committed)
		store_saw_more(fetch->store);
	else if (rc == 0)
		repo_saw(fetch->store, &c.repo);
	if (rc == 0)
		rc = fetch->request->committed ?
		             commit_tree(fetch, &c.repo, list, is_kept, &c, &node, err) :
		             take_lying(&c, &node, err);
	if (rc == 0)
		rc = describe(&c, &node, fact, err);
	for (size_t i = 0; i < c.submodules.n; i++) {
		free(c.submodules.v[i].path);
		git_close(&c.submodules.v[i].repo);
	}
	array_deinit(&c.submodules);
	git_close(&c.repo);
	free(c.own);
	if (rc == 0)
		*ret_node = node;
	return rc;
}

const struct fetcher fetcher_checkout = { "checkout", false, checkout_key, checkout_run };
