/*
 * The crates a Cargo project's lock names, by cargo's own client, in the image. What runs with a
 * network sees the lock, the manifests and empty files where code is; it runs no code of the project
 * or of a crate, for vendoring builds nothing. What comes out is a folder of sources and the
 * configuration that makes cargo look there: the same for everybody, or the lock's digest says no.
 */
#include "source/cargo.h"

#include "base/alloc.h"
#include "base/path.h"
#include "source/fetcher.h"
#include "store/directory.h"
#include "store/place.h"

enum { LOCK_MOST = 16 << 20, SAID_MOST = 1200, LOG_MOST = 64 << 20 };

/* Where the tree stands in builds, below /build: cargo's own folder there, so that it finds
 * config.toml; the folder in it is named from /build (see recipes/lib/cargo.lua). */
static const char vendor_path[] = "cargo/vendor";

/* "" for the top of the source. */
static const char *dir_of(const struct fetch *fetch)
{
	return json_str_or(fetch->request->leaf, "dir", "");
}

static int refuse_lock(const struct fetch *fetch, const char *shown, const char *what,
                       struct err *err)
{
	err_set(err, ERR_INPUT, "%s: %s %s", fetch->where, shown, what);
	return err_hint(err, "run `cargo generate-lockfile`, or `cargo update`, and commit "
	                     "Cargo.lock");
}

static int read_lock(const struct fetch *fetch, json_t **ret_packages, struct err *err)
{
	const struct tree_node *source = fetch->request->source;
	const char *dir = dir_of(fetch), *fault = dir[0] ? path_tree_fault(dir) : NULL;
	_cleanup_free_ char *path = dir[0] ? path_join(dir, "Cargo.lock") : str_dup("Cargo.lock");
	_cleanup_buf_ struct buf text = BUF_INIT(LOCK_MOST);
	struct blobs *blobs = store_blobs(fetch->store);
	struct tree_node node;
	int rc;

	if (fault)
		return err_set(err, ERR_INPUT, "%s: the folder \"%s\" %s", fetch->where, dir,
		               fault);
	if (!source || source->kind != NODE_DIR)
		return err_set(err, ERR_INPUT, "%s: the source \"%s\" is no folder", fetch->where,
		               json_str_or(fetch->request->leaf, "source", "?"));
	rc = place_find(blobs, fetch->arena, &source->ref, path, &node, err);
	if (rc < 0)
		return -1;
	if (rc > 0 || node.kind != NODE_FILE)
		return refuse_lock(fetch, path, "is not in the source", err);
	rc = blobs_read(blobs, &node.ref, &text, err);
	if (rc != 0)
		return rc < 0 ? -1 : blobs_miss(&node.ref, path, err);
	return cargo_lock_read(buf_str(&text), path, ret_packages, err);
}

/* An edit of the project itself fetches nothing: the key has what comes from elsewhere. */
static int cargo_key(const struct fetch *fetch, json_t *key, bool *ret_pinned, struct err *err)
{
	const struct source_runner *runner = fetch->request->runner;
	json_t *packages = NULL;
	const char *source;

	*ret_pinned = true;
	if (fetch_str(fetch, "source", &source, err) < 0 || read_lock(fetch, &packages, err) < 0)
		return -1;
	json_object_set_new(key, "packages", packages);
	if (runner)
		fetch_set_digest(key, "image", &runner->image);
	return 0;
}

/* ---- what cargo says ---------------------------------------------------------------------- */

static bool says_any(const char *said, const char *const *texts)
{
	for (; *texts; texts++)
		if (strcasestr(said, *texts))
			return true;
	return false;
}

/* The end of its log, where the error stands. */
static char *last_words(struct blobs *blobs, const struct result *result)
{
	_cleanup_buf_ struct buf log = BUF_INIT(LOG_MOST);
	struct err ignored = ERR_INIT;
	const char *from, *error;

	if (blobs_read(blobs, &result->log, &log, &ignored) != 0)
		return str_dup("");
	from = buf_text(&log);
	error = strstr(from, "error: ");
	if (error)
		from = error;
	if (strlen(from) > SAID_MOST)
		from += strlen(from) - SAID_MOST;
	return str_clean(str_of(from));
}

/* cargo ends with status 101 whatever went wrong: its words say whether a retry may help. */
static int explain(const struct fetch *fetch, const struct result *result, const char *why,
                   struct err *err)
{
	static const char *const stale[] = { "--locked was passed", "needs to be updated", NULL };
	static const char *const network[] = { "network",
		                               "resolve host",
		                               "could not connect",
		                               "couldn't connect",
		                               "timed out",
		                               "timeout",
		                               "failed to download",
		                               "failed to fetch",
		                               "failed to query",
		                               "transfer",
		                               "SSL",
		                               NULL };
	static const char *const wrong_bytes[] = { "checksum", NULL };
	_cleanup_free_ char *said = last_words(store_blobs(fetch->store), result);
	bool retry = !says_any(said, wrong_bytes) && says_any(said, network);

	if (says_any(said, stale))
		return refuse_lock(fetch, "Cargo.lock", "does not fit the project's Cargo.toml",
		                   err);
	err_set(err, retry ? ERR_IO : ERR_INPUT,
	        "%s: cargo could not fetch the crates that Cargo.lock names (%s)%s%s", fetch->where,
	        why, said[0] ? ":\n" : "", said);
	return retry ? err_hint(err, "is the network there? Proxies are taken from https_proxy and "
	                             "its like, certificates from SSL_CERT_FILE") :
	               -1;
}

/* ---- running it --------------------------------------------------------------------------- */

static int compose(const struct fetch *fetch, struct blob_ref *ret, struct err *err)
{
	struct blobs *blobs = store_blobs(fetch->store);
	struct placement placed = { .at = "src", .node = { .name = "", .kind = NODE_DIR } };

	if (cargo_stub_tree(blobs, &fetch->request->source->ref, dir_of(fetch), &placed.node.ref,
	                    err) < 0)
		return -1;
	return place_compose(blobs, &placed, 1, ret, err);
}

static int vendor(const struct fetch *fetch, struct result *ret, struct err *err)
{
	const struct source_runner *runner = fetch->request->runner;
	const char *dir = dir_of(fetch), *why = NULL;
	const char *manifest =
		arena_fmt(fetch->arena, "src/%s%sCargo.toml", dir, dir[0] ? "/" : "");
	const char *argv[] = { "cargo",           "vendor", "--locked", "--versioned-dirs",
		               "--manifest-path", manifest, vendor_path };
	struct action_env env[] = {
		{ "CARGO_HOME", "/build/home" },
		{ "CARGO_TERM_COLOR", "never" },
		{ "HOME", "/build/home" },
		{ "LC_ALL", "C.UTF-8" },
		{ "PATH", "/usr/local/bin:/usr/bin:/bin" },
	};
	struct action_output output = { .path = vendor_path };
	struct action action = {
		.argv = argv,
		.n_argv = ARRAY_LEN(argv),
		.env = env,
		.n_env = ARRAY_LEN(env),
		.workdir = "",
		.outputs = &output,
		.n_outputs = 1,
		.image = &runner->image,
		.arch = runner->arch,
	};
	struct blob_ref root;
	int rc = compose(fetch, &root, err);

	action.input_root = &root;
	if (rc == 0)
		rc = runner->run(runner->data, fetch->arena, &action, ret, &why, err);
	return rc == SOURCE_RAN_BADLY ? explain(fetch, ret, why, err) : rc;
}

/* Whatever stands where the crates were fetched: config.toml and vendor/. */
static int make_tree(struct blobs *blobs, const struct blob_ref *config,
                     const struct blob_ref *crates, struct tree_node *ret, struct err *err)
{
	struct tree_node nodes[] = {
		{ .name = "config.toml", .kind = NODE_FILE, .ref = *config },
		{ .name = "vendor", .kind = NODE_DIR, .ref = *crates },
	};
	struct tree_dir dir = { nodes, ARRAY_LEN(nodes) };

	*ret = (struct tree_node){ .name = "", .kind = NODE_DIR };
	return directory_save(blobs, &dir, &ret->ref, err);
}

static int make_empty(struct blobs *blobs, struct tree_node *ret, struct err *err)
{
	struct tree_dir none = { 0 };
	struct blob_ref config, crates;

	if (blobs_put(blobs, "", 0, &config, err) < 0 ||
	    directory_save(blobs, &none, &crates, err) < 0)
		return -1;
	return make_tree(blobs, &config, &crates, ret, err);
}

static int check_may_fetch(const struct fetch *fetch, size_t n, struct err *err)
{
	if (fetch->request->offline) {
		err_set(err, ERR_IO,
		        "%s: the %zu crates that Cargo.lock names are not in the store, and "
		        "--offline forbids to fetch them",
		        fetch->where, n);
		return err_hint(err, "run once without --offline");
	}
	if (!fetch->request->runner)
		return err_set(err, ERR_INPUT, "%s: the source \"%s\" names no image to fetch in",
		               fetch->where, fetch->request->id);
	return 0;
}

static int cargo_run(const struct fetch *fetch, struct tree_node *ret_node, json_t *fact,
                     struct err *err)
{
	struct blobs *blobs = store_blobs(fetch->store);
	_cleanup_json_ json_t *packages = NULL;
	struct result result = { 0 };
	struct work work;
	size_t n;
	int rc;

	if (read_lock(fetch, &packages, err) < 0)
		return -1;
	n = json_array_size(packages);
	if (n == 0) {
		rc = make_empty(blobs, ret_node, err);
	} else {
		if (check_may_fetch(fetch, n, err) < 0)
			return -1;
		work_begin(&work, fetch->log, "fetching %zu crate%s with cargo", n,
		           n == 1 ? "" : "s");
		rc = vendor(fetch, &result, err);
		work_end(&work, rc);
		if (rc == 0 && (result.n_outputs != 1 || result.outputs[0].node->kind != NODE_DIR))
			rc = err_set(err, ERR_INPUT, "%s: cargo vendored no folder", fetch->where);
		if (rc == 0)
			rc = make_tree(blobs, &result.out, &result.outputs[0].node->ref, ret_node,
			               err);
	}
	if (rc < 0)
		return -1;
	fetch_set_digest(fact, "digest", &ret_node->ref.digest);
	json_object_set_new(fact, "crates", cargo_crates(packages));
	return 0;
}

const struct fetcher fetcher_cargo = { "cargo", true, cargo_key, cargo_run };
