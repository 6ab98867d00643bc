/* Locks and releases that the store is to outlive. */
#include "cli/keep.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/path.h"
#include "host/fs.h"
#include "store/gc.h"

enum { KEEP_MOST = 64 << 20 };

static const char kind[] = "keep";

/* Writes nothing where it is known already: every run passes here. */
static int remember(struct store *store, const char *name, const json_t *json, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(KEEP_MOST);
	_cleanup_free_ char *known = NULL;
	int rc = store_get_fact(store, kind, name, &known, err);

	json_write_canonical(json, &text);
	if (rc < 0)
		return -1;
	if (text.overflow || (rc == 0 && str_eq(known, buf_text(&text))))
		return 0;
	return store_put_fact(store, kind, name, buf_text(&text), err);
}

/* A lock is read anew at each collection; a release says once what it is made of. */
int keep_lock(struct session *s, struct err *err)
{
	_cleanup_json_ json_t *json = NULL;
	_cleanup_free_ char *path = NULL, *name = NULL;
	int rc = s->has_lock ? fs_real_path(s->lock_path, &path, err) : 1;

	if (rc)
		return rc < 0 ? -1 : 0;
	name = str_fmt("lock %s", path);
	json = json_pack("{s:o,s:b}", "file", json_any_text(path), "read", true);
	return str_is_utf8(str_of(name)) ? remember(s->store, name, json, err) : 0;
}

static void add_digest(json_t *list, const struct digest *digest)
{
	if (!digest_is_none(digest))
		json_array_append_new(list, json_string(DIGEST_TEXT(digest)));
}

int keep_dist(struct session *s, const struct plan *plan, const struct engine_result *result,
              const char *dir, struct err *err)
{
	_cleanup_free_ char *real = NULL, *manifest = NULL, *name = NULL;
	_cleanup_json_ json_t *json = NULL;
	json_t *digests = json_array();
	int rc = fs_real_path(dir, &real, err);

	json = json_pack("{s:o}", "digests", digests);
	if (rc)
		return rc < 0 ? -1 : 0;
	for (size_t i = 0; i < plan->n_wanted; i++)
		add_digest(digests, &result->nodes[plan->order[i]].action);
	for (size_t i = 0; i < map_count(s->facts.leaves); i++)
		add_digest(digests, &((const struct fact_leaf *)map_at(s->facts.leaves, i)->value)
		                             ->node.ref.digest);
	for (size_t i = 0; i < s->images.n; i++)
		add_digest(digests, &s->images.v[i].image.tree);
	manifest = path_join(real, "manifest.json");
	name = str_fmt("dist %s", real);
	json_object_set_new(json, "file", json_any_text(manifest));
	return str_is_utf8(str_of(name)) ? remember(s->store, name, json, err) : 0;
}

static int need_file(const char *path, struct map *needed, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(KEEP_MOST);
	struct stat st;
	int rc = fs_stat(AT_FDCWD, path, &st, err);

	if (rc == 0 && !S_ISREG(st.st_mode))
		rc = FS_MISSING;
	if (rc == 0)
		rc = fs_read(AT_FDCWD, path, &text, err);
	if (rc == 0)
		gc_need(needed, buf_text(&text), text.n);
	if (rc < 0)
		err_hint(
			err,
			"it is a lock that was read with this store, and says what must stay; make "
			"it readable, or remove it");
	return rc;
}

/* Returns 0, or FS_MISSING where its file is gone. */
static int need_one(struct store *store, const char *name, struct map *needed, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ json_t *json = NULL;
	struct err broken = ERR_INIT;
	const char *file;
	int rc = store_get_fact(store, kind, name, &text, err);

	if (rc < 0)
		return -1;
	if (rc == STORE_MISS || json_parse(text, strlen(text), name, &json, &broken) < 0)
		return FS_MISSING;
	file = json_str_or(json, "file", "");
	if (json_is_true(json_object_get(json, "read")))
		return need_file(file, needed, err);
	if (!fs_exists(AT_FDCWD, file))
		return FS_MISSING;
	gc_need(needed, text, strlen(text));
	return 0;
}

int keep_needed(struct store *store, bool dry, struct map *needed, struct err *err)
{
	struct fs_names names = { 0 };
	int rc = store_list_facts(store, kind, &names, err);

	for (size_t i = 0; rc == 0 && i < names.names.n; i++) {
		rc = need_one(store, names.names.v[i], needed, err);
		if (rc == FS_MISSING)
			rc = dry ? 0 : store_drop_fact(store, kind, names.names.v[i], err);
	}
	fs_names_deinit(&names);
	return rc;
}
