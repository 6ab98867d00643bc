/*
 * Leaves by kind, and the memory of them: a fact "leaf" says which node a pin gave, and counts as
 * long as every blob of that node is in the store.
 */
#include "source/source.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/path.h"
#include "base/str.h"
#include "external/crypto.h"
#include "host/clock.h"
#include "host/fs.h"
#include "source/fetcher.h"
#include "store/place.h"

enum { FACT_MOST = 32 << 20 };

static const char fact_schema[] = "kiln.leaf/1";

const struct fetcher *const fetchers[] = { &fetcher_checkout, &fetcher_folder, &fetcher_debian,
	                                   &fetcher_https,    &fetcher_cargo,  NULL };

void source_result_deinit(struct source_result *result)
{
	json_cleanup(&result->fact);
}

int fetch_str(const struct fetch *fetch, const char *key, const char **ret, struct err *err)
{
	const char *text = json_str_or(fetch->request->leaf, key, NULL);

	if (!text || !*text)
		return err_set(err, ERR_INPUT, "%s: the source \"%s\" has no %s", fetch->where,
		               fetch->request->id, key);
	*ret = text;
	return 0;
}

int fetch_digest(const struct fetch *fetch, const char *key, struct digest *ret, struct err *err)
{
	const char *text = json_str_or(fetch->request->leaf, key, NULL);

	*ret = (struct digest){ 0 };
	if (text && !digest_parse(text, ret))
		return err_set(err, ERR_INPUT,
		               "%s: %s of the source \"%s\" is no SHA-256 digest: %s", fetch->where,
		               key, fetch->request->id, text);
	return 0;
}

void fetch_set_digest(json_t *json, const char *key, const struct digest *digest)
{
	_cleanup_free_ char *text = str_fmt("sha256:%s", DIGEST_TEXT(digest));

	json_object_set_new(json, key, json_string(text));
}

int fetch_tmpdir(const struct fetch *fetch, struct tmpdir *ret, int *ret_parent_fd, char **ret_path,
                 struct err *err)
{
	_cleanup_free_ char *parent = path_join(store_dir(fetch->store), "tmp");
	_cleanup_free_ char *absolute = NULL;
	int fd = -1;

	if (fs_make_dirs(AT_FDCWD, parent, 0700, err) < 0 ||
	    fs_must(fs_real_path(parent, &absolute, err), parent, err) < 0 ||
	    fs_must(fs_open_dir(AT_FDCWD, absolute, &fd, err), absolute, err) < 0)
		return -1;
	if (tmpdir_init(ret, fd, "source", err) < 0) {
		fs_close(fd);
		return -1;
	}
	*ret_parent_fd = fd;
	*ret_path = path_join(absolute, ret->name);
	return 0;
}

size_t fetch_children(const struct fetch *fetch)
{
	return fetch->request->jobs > 0 ? (size_t)fetch->request->jobs : 0;
}

static const struct fetcher *find_fetcher(const char *kind)
{
	for (const struct fetcher *const *f = fetchers; *f; f++)
		if (str_eq((*f)->kind, kind))
			return *f;
	return NULL;
}

bool fetch_is_there(struct store *store, const struct tree_node *node)
{
	struct err ignored = ERR_INIT;

	return store_has_node(store, node, &ignored) == 0;
}

static json_t *write_node(const struct tree_node *node)
{
	json_t *json = json_object();

	json_object_set_new(json, "kind", json_string(node->kind == NODE_DIR ? "dir" : "file"));
	json_object_set_new(json, "sha256", json_string(DIGEST_TEXT(&node->ref.digest)));
	json_object_set_new(json, "size", json_integer((json_int_t)node->ref.size));
	json_object_set_new(json, "executable", json_boolean(node->executable));
	return json;
}

static bool read_node(const json_t *json, struct tree_node *ret)
{
	struct tree_node node = { .name = "" };

	if (!digest_parse(json_str_or(json, "sha256", ""), &node.ref.digest) ||
	    !json_is_integer(json_object_get(json, "size")))
		return false;
	node.ref.size = (uint64_t)json_integer_value(json_object_get(json, "size"));
	node.kind = str_eq(json_str_or(json, "kind", ""), "dir") ? NODE_DIR : NODE_FILE;
	node.executable = json_is_true(json_object_get(json, "executable"));
	*ret = node;
	return true;
}

/* What was remembered under a pin: 0, or STORE_MISS. */
static int recall(const struct fetch *fetch, const char *name, struct source_result *ret,
                  struct err *err)
{
	const char *url = json_str_or(fetch->request->leaf, "url", NULL);
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ json_t *json = NULL;
	struct err ignored = ERR_INIT;
	struct source_result result = { 0 };
	int rc = store_get_fact(fetch->store, "leaf", name, &text, err);

	if (rc)
		return rc;
	if (json_parse(text, strlen(text), "leaf", &json, &ignored) < 0 ||
	    !str_eq(json_str_or(json, "schema", ""), fact_schema) ||
	    !read_node(json_object_get(json, "node"), &result.node) ||
	    !fetch_is_there(fetch->store, &result.node))
		return STORE_MISS;
	result.fact = json_deep_copy(json_object_get(json, "fact"));
	/* Kept by content: where it came from is what this recipe says, not another one's once. */
	if (url)
		json_object_set_new(result.fact, "uri", json_string(url));
	*ret = result;
	return 0;
}

static int remember(const struct fetch *fetch, const char *name, const json_t *key,
                    const struct source_result *result, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(FACT_MOST);
	_cleanup_json_ json_t *json = json_object();

	json_object_set_new(json, "schema", json_string(fact_schema));
	json_object_set(json, "key", (json_t *)key);
	json_object_set_new(json, "node", write_node(&result->node));
	json_object_set(json, "fact", result->fact);
	json_write_canonical(json, &text);
	return store_put_fact(fetch->store, "leaf", name, buf_text(&text), err);
}

static void set_today(json_t *fact)
{
	time_t now = (time_t)(clock_wall_us() / 1000000);
	_cleanup_free_ char *text = NULL;
	struct tm tm;

	gmtime_r(&now, &tm);
	text = str_fmt("%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
	json_object_set_new(fact, "resolved_on", json_string(text));
}

static int fetch_new(const struct fetch *fetch, const struct fetcher *fetcher, bool pinned,
                     struct source_result *ret, struct err *err)
{
	_cleanup_json_ json_t *fact = json_object();
	struct tree_node node = { 0 };

	if (fetcher->run(fetch, &node, fact, err) < 0)
		return -1;
	if (fetcher->kept && !pinned)
		set_today(fact);
	node.name = "";
	node.target = NULL;
	*ret = (struct source_result){ node, steal(fact) };
	return 0;
}

/* Recalls or runs. */
static int obtain(const struct fetch *fetch, const struct fetcher *fetcher,
                  struct source_result *ret, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(FACT_MOST);
	_cleanup_json_ json_t *key = json_object();
	struct digest digest;
	bool pinned = false;
	int rc;

	json_object_set_new(key, "kind", json_string(fetcher->kind));
	if (fetcher->key(fetch, key, &pinned, err) < 0)
		return -1;
	if (!fetcher->kept)
		return fetch_new(fetch, fetcher, pinned, ret, err);
	json_write_canonical(key, &text);
	digest_of(text.p, text.n, &digest);
	if (pinned || !fetch->request->update) {
		rc = recall(fetch, DIGEST_TEXT(&digest), ret, err);
		if (rc <= 0)
			return rc;
	}
	if (fetch_new(fetch, fetcher, pinned, ret, err) < 0)
		return -1;
	if (remember(fetch, DIGEST_TEXT(&digest), key, ret, err) < 0) {
		source_result_deinit(ret);
		return -1;
	}
	return 0;
}

bool source_lies_here(const json_t *leaf)
{
	const struct fetcher *fetcher = find_fetcher(json_str_or(leaf, "kind", ""));

	return fetcher && !fetcher->kept;
}

int source_fetch(struct store *store, const struct source_request *request, struct log *log,
                 struct source_result *ret, struct err *err)
{
	const char *kind = json_str_or(request->leaf, "kind", "");
	struct fetch fetch = { store, request, json_str_or(request->leaf, "where", "the recipe"),
		               log, arena_new() };
	const struct fetcher *fetcher = find_fetcher(kind);
	struct source_result result = { 0 };
	int rc;

	if (fetcher)
		rc = obtain(&fetch, fetcher, &result, err);
	else
		rc = err_set(err, ERR_INPUT,
		             "%s: the source \"%s\" is of the unknown kind \"%s\" "
		             "(there are checkout, folder, debian, https and cargo)",
		             fetch.where, request->id, kind);
	arena_free(fetch.arena);
	if (rc < 0)
		return err_while(err, "fetching the source \"%s\" (%s)", request->id, fetch.where);
	*ret = result;
	return 0;
}
