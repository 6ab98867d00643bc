/* Reading Cargo.lock, and cutting a project down to what resolving its dependencies needs. */
#include "source/cargo.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/array.h"
#include "base/path.h"
#include "external/crypto.h"
#include "external/toml.h"
#include "model/purl.h"
#include "store/flat.h"
#include "store/place.h"

/* ---- the lock ----------------------------------------------------------------------------- */

static int cmp_package(const void *a, const void *b)
{
	static const char *const keys[] = { "name", "version", "source" };
	int c = 0;

	for (size_t i = 0; c == 0 && i < ARRAY_LEN(keys); i++)
		c = strcmp(json_str_or(*(const json_t *const *)a, keys[i], ""),
		           json_str_or(*(const json_t *const *)b, keys[i], ""));
	return c;
}

/* A [[package]] as what of it fixes content; *ret NULL: it is the project's own. */
static int read_package(const json_t *package, size_t i, const char *shown, json_t **ret,
                        struct err *err)
{
	const char *name = json_str_or(package, "name", NULL);
	const char *version = json_str_or(package, "version", NULL);
	const char *source = json_str_or(package, "source", NULL);
	const char *checksum = json_str_or(package, "checksum", NULL);

	*ret = NULL;
	if (!name || !version)
		return err_set(err, ERR_INPUT, "%s: [[package]] number %zu has no name or version",
		               shown, i + 1);
	if (!source)
		return 0;
	*ret = json_pack("{s:s,s:s,s:s}", "name", name, "version", version, "source", source);
	if (checksum)
		json_object_set_new(*ret, "checksum", json_string(checksum));
	return 0;
}

int cargo_lock_read(struct str text, const char *shown, json_t **ret, struct err *err)
{
	_cleanup_json_ json_t *toml = NULL, *out = json_array();
	ARRAY(json_t *) list = { 0 };
	json_t *package, *mine;
	size_t i;
	int rc = toml_read(text, shown, &toml, err);

	json_array_foreach (json_object_get(toml, "package"), i, package) {
		rc = read_package(package, i, shown, &mine, err);
		if (rc < 0)
			break;
		if (mine)
			array_push(&list, mine);
	}
	array_sort(&list, cmp_package);
	for (i = 0; i < list.n; i++)
		json_array_append_new(out, list.v[i]);
	array_deinit(&list);
	if (rc < 0)
		return -1;
	*ret = steal(out);
	return 0;
}

static json_t *crate(const json_t *package)
{
	const char *name = json_str_or(package, "name", ""), *sha = NULL;
	const char *version = json_str_or(package, "version", "");
	const char *source = json_str_or(package, "source", ""), *commit = strrchr(source, '#');
	_cleanup_buf_ struct buf purl = BUF_INIT(4096);
	json_t *out = json_pack("{s:s,s:s}", "name", name, "version", version);
	struct digest digest;

	if (str_starts(source, "git+") && commit && commit[1]) {
		_cleanup_free_ char *url = str_dup_n(source, strcspn(source, "?#"));
		_cleanup_free_ char *at = str_fmt("%s@%s", url, commit + 1);

		purl_cargo(&purl, name, version, "vcs_url", at);
		json_object_set_new(out, "commit", json_string(commit + 1));
	} else if (str_starts(source, "sparse+")) {
		purl_cargo(&purl, name, version, "repository_url", source + strlen("sparse+"));
	} else {
		purl_cargo(&purl, name, version, NULL, NULL);
	}
	sha = json_str_or(package, "checksum", NULL);
	if (sha && digest_parse(sha, &digest))
		json_object_set_new(out, "sha256", json_string(sha));
	json_object_set_new(out, "purl", json_string(buf_text(&purl)));
	return out;
}

json_t *cargo_crates(const json_t *packages)
{
	json_t *out = json_array(), *package;
	size_t i;

	json_array_foreach ((json_t *)packages, i, package)
		json_array_append_new(out, crate(package));
	return out;
}

/* ---- stubs -------------------------------------------------------------------------------- */

struct stubs {
	struct arena *arena;
	const char *lock; /* path of Cargo.lock */
	struct blob_ref empty;
	ARRAY(struct flat_entry) entries;
};

static int add_stub(void *data, const char *path, const struct tree_node *node, struct err *err)
{
	struct stubs *stubs = data;
	struct tree_node kept = { .kind = NODE_FILE, .ref = node->ref };
	bool code = str_ends(path, ".rs");

	(void)err;
	if (node->kind != NODE_FILE ||
	    (!code && !str_eq(path_base(path), "Cargo.toml") && !str_eq(path, stubs->lock)))
		return 0;
	if (code)
		kept.ref = stubs->empty;
	array_push(&stubs->entries, ((struct flat_entry){ arena_str(stubs->arena, path), kept }));
	return 0;
}

int cargo_stub_tree(struct blobs *blobs, const struct blob_ref *root, const char *dir,
                    struct blob_ref *ret, struct err *err)
{
	_cleanup_free_ char *lock = dir[0] ? path_join(dir, "Cargo.lock") : str_dup("Cargo.lock");
	struct stubs stubs = { .arena = arena_new(), .lock = lock };
	int rc = blobs_put(blobs, "", 0, &stubs.empty, err);

	if (rc == 0)
		rc = tree_walk(blobs, root, add_stub, &stubs, err);
	if (rc == 0)
		rc = flat_save(blobs, stubs.entries.v, stubs.entries.n, ret, err);
	array_deinit(&stubs.entries);
	arena_free(stubs.arena);
	return rc;
}
