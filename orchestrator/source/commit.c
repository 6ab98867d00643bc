/*
 * From a commit to a tree: list it, let git write all objects into one nameless file, take each blob
 * from there. Submodules are repositories of their own, one after the other.
 */
#include "source/commit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"
#include "external/crypto.h"
#include "host/fs.h"
#include "store/flat.h"

enum { HEADER_MOST = 200, POINTER_MOST = 1024, LINK_MOST = 4096, DEPTH_MOST = 10, CHUNK = 1 << 17 };

struct commit {
	const struct fetch *fetch;
	commit_keep_fn keep;
	const void *data;
	ARRAY(struct flat_entry) entries;
	struct arena *arena;
	char *chunk; /* CHUNK bytes */
};

/* ---- Git LFS ------------------------------------------------------------------------------ */

/* Reads "version …\noid sha256:HEX\nsize N\n". */
static bool read_pointer(const char *text, struct blob_ref *ret)
{
	static const char head[] = "version https://git-lfs.github.com/spec/v1\n";
	const char *oid = strstr(text, "\noid sha256:"), *size = strstr(text, "\nsize ");
	char hex[DIGEST_HEX_SIZE];

	if (!str_starts(text, head) || !oid || !size ||
	    strlen(oid + strlen("\noid sha256:")) < DIGEST_HEX_LEN)
		return false;
	memcpy(hex, oid + strlen("\noid sha256:"), DIGEST_HEX_LEN);
	hex[DIGEST_HEX_LEN] = '\0';
	ret->size = strtoull(size + strlen("\nsize "), NULL, 10);
	return digest_parse(hex, &ret->digest);
}

static int lfs_missing(const struct fetch *fetch, const char *path, struct err *err)
{
	err_set(err, ERR_INPUT, "%s: the content of %s is kept by Git LFS and is not here",
	        fetch->where, path);
	return err_hint(err,
	                "fetch it: git lfs pull; or leave the file out: checkout { exclude = { "
	                "\"%s\" } }",
	                path);
}

int commit_follow_pointer(const struct fetch *fetch, const struct git_repo *repo, const char *path,
                          struct blob_ref *ref, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(POINTER_MOST);
	struct blobs *blobs = store_blobs(fetch->store);
	_cleanup_free_ char *object = NULL;
	_cleanup_fd_ int fd = -1;
	struct blob_ref real, got;
	char hex[DIGEST_HEX_SIZE];
	int rc;

	if (ref->size >= POINTER_MOST)
		return 0;
	if (blobs_read(blobs, ref, &text, err) != 0)
		return err->code ? -1 : blobs_miss(ref, path, err);
	if (!read_pointer(buf_text(&text), &real))
		return 0;
	if (!blobs_has(blobs, &real)) {
		digest_hex(&real.digest, hex);
		object = str_fmt("%s/lfs/objects/%.2s/%.2s/%s", repo->common, hex, hex + 2, hex);
		rc = fs_open(AT_FDCWD, object, &fd, err);
		if (rc != 0)
			return rc < 0 ? -1 : lfs_missing(fetch, path, err);
		if (blobs_put_fd(blobs, fd, object, &got, err) < 0)
			return -1;
		if (!digest_eq(&got.digest, &real.digest))
			return err_set(err, ERR_INPUT, "%s: the object %s is damaged", fetch->where,
			               object);
		if (got.size != real.size)
			return err_set(
				err, ERR_INPUT,
				"%s: the pointer of Git LFS %s says %llu bytes, its object has "
				"%llu",
				fetch->where, path, (unsigned long long)real.size,
				(unsigned long long)got.size);
	}
	*ref = real;
	return 0;
}

/* ---- submodules --------------------------------------------------------------------------- */

int commit_open_submodule(const struct fetch *fetch, const struct git_repo *parent,
                          const char *path, struct git_repo *ret, struct err *err)
{
	_cleanup_free_ char *dir = path_join(parent->top, path);
	_cleanup_free_ char *mark = path_join(dir, ".git");
	int rc = fs_exists(AT_FDCWD, mark) ? git_open(dir, ret, err) : GIT_NONE;

	if (rc < 0)
		return -1;
	if (rc == 0 && ret->head)
		return 0;
	if (rc == 0)
		git_close(ret);
	err_set(err, ERR_INPUT, "%s: the submodule %s is not here", fetch->where, path);
	return err_hint(err, "bring it in: git submodule update --init --recursive");
}

/* ---- objects ------------------------------------------------------------------------------ */

/* Reads the line in front of an object. */
static int read_header(FILE *in, const char *path, uint64_t *ret_size, struct err *err)
{
	char line[HEADER_MOST];
	const char *space;

	if (!fgets(line, sizeof(line), in))
		return err_set(err, ERR_IO, "git ended in front of %s", path);
	space = strrchr(line, ' ');
	if (!space || !strstr(line, " blob ")) {
		err_set(err, ERR_INPUT, "git does not have the content of %s", path);
		return err_hint(err, "is this a partial clone? Fetch what it lacks: git fetch "
		                     "--refetch --filter=blob:limit=1t");
	}
	*ret_size = strtoull(space + 1, NULL, 10);
	return 0;
}

/* Copies a large object into a file of its own, where the store takes it from. */
static int take_large(const struct commit *c, FILE *in, int aside, const char *path, uint64_t size,
                      struct blob_ref *ret, struct err *err)
{
	if (ftruncate(aside, 0) < 0 || lseek(aside, 0, SEEK_SET) < 0)
		return err_sys(err, ERR_IO, "cannot use a temporary file");
	for (uint64_t left = size; left > 0;) {
		size_t n = fread(c->chunk, 1, left < CHUNK ? (size_t)left : CHUNK, in);

		if (n == 0)
			return err_set(err, ERR_IO, "git ended in the middle of %s", path);
		if (fs_write_all(aside, c->chunk, n, path, err) < 0)
			return -1;
		left -= n;
	}
	if (lseek(aside, 0, SEEK_SET) < 0)
		return err_sys(err, ERR_IO, "cannot use a temporary file");
	return blobs_put_fd(store_blobs(c->fetch->store), aside, path, ret, err);
}

static int take_blob(const struct commit *c, FILE *in, int aside, const char *path,
                     struct blob_ref *ret, struct err *err)
{
	uint64_t size = 0;
	int rc;

	if (read_header(in, path, &size, err) < 0)
		return -1;
	if (size >= CHUNK) {
		rc = take_large(c, in, aside, path, size, ret, err);
	} else {
		if (fread(c->chunk, 1, (size_t)size, in) != size)
			return err_set(err, ERR_IO, "git ended in the middle of %s", path);
		rc = blobs_put(store_blobs(c->fetch->store), c->chunk, (size_t)size, ret, err);
	}
	if (rc == 0 && fgetc(in) != '\n')
		return err_set(err, ERR_IO, "git ended behind %s", path);
	return rc;
}

/* A link's text is its blob. */
static int take_link(const struct commit *c, const char *path, const struct blob_ref *ref,
                     struct tree_node *ret, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(LINK_MOST);

	if (blobs_read(store_blobs(c->fetch->store), ref, &text, err) != 0)
		return err->code ? -1 : blobs_miss(ref, "a link's text", err);
	if (!str_is_utf8(buf_str(&text)))
		return err_set(err, ERR_INPUT,
		               "%s: %s is a link whose text is not UTF-8, which a tree cannot hold",
		               c->fetch->where, path);
	*ret = (struct tree_node){ .kind = NODE_LINK,
		                   .target = arena_str(c->arena, buf_text(&text)) };
	return 0;
}

static int add_blob(struct commit *c, const struct git_repo *repo, const struct git_entry *entry,
                    const char *path, struct blob_ref ref, struct err *err)
{
	struct tree_node node = { .kind = NODE_FILE, .executable = entry->mode == 0100755 };

	if (!str_is_utf8(str_of(path)))
		return err_set(err, ERR_INPUT,
		               "%s: a file's name is not UTF-8, which a tree cannot hold: %s",
		               c->fetch->where, path);
	if (entry->mode == 0120000) {
		if (take_link(c, path, &ref, &node, err) < 0)
			return -1;
	} else {
		if (commit_follow_pointer(c->fetch, repo, path, &ref, err) < 0)
			return -1;
		node.ref = ref;
	}
	array_push(&c->entries, ((struct flat_entry){ arena_str(c->arena, path), node }));
	return 0;
}

struct wanted {
	ARRAY(const struct git_entry *) list;
};

/* Takes the blobs that git wrote, in the order they were asked for. */
static int take_all(struct commit *c, const struct git_repo *repo, const char *below,
                    const struct wanted *wanted, FILE *in, int aside, struct err *err)
{
	for (size_t i = 0; i < wanted->list.n; i++) {
		const struct git_entry *entry = wanted->list.v[i];
		_cleanup_free_ char *path = path_join(below, entry->path);
		struct blob_ref ref;

		if (take_blob(c, in, aside, path, &ref, err) < 0 ||
		    add_blob(c, repo, entry, path, ref, err) < 0)
			return -1;
	}
	return 0;
}

static int cat_wanted(struct commit *c, const struct git_repo *repo, const char *below,
                      const struct wanted *wanted, struct err *err)
{
	_cleanup_fd_ int dir = -1, fd = -1, aside = -1;
	const char *store = store_dir(c->fetch->store);
	FILE *in;
	int rc;

	if (wanted->list.n == 0)
		return 0;
	if (fs_must(fs_open_dir(AT_FDCWD, store, &dir, err), store, err) < 0 ||
	    tmpfile_open(dir, "git's objects", &fd, err) < 0 ||
	    tmpfile_open(dir, "an object", &aside, err) < 0 ||
	    git_cat(repo, wanted->list.v, wanted->list.n, fd, err) < 0)
		return -1;
	in = fdopen(fd, "rb");
	if (!in)
		return err_sys(err, ERR_IO, "cannot read what git wrote");
	fd = -1; /* the stream's */
	rc = fseek(in, 0, SEEK_SET) < 0 ? err_sys(err, ERR_IO, "cannot read what git wrote") :
	                                  take_all(c, repo, below, wanted, in, aside, err);
	fclose(in);
	return rc;
}

/* ---- one repository, and those in it ------------------------------------------------------ */

static int add_repo(struct commit *c, const struct git_repo *repo, const char *commit,
                    const char *below, int depth, struct err *err);

static int add_submodules(struct commit *c, const struct git_repo *repo,
                          const struct git_entries *entries, const char *below, int depth,
                          struct err *err)
{
	for (size_t i = 0; i < entries->list.n; i++) {
		const struct git_entry *entry = &entries->list.v[i];
		_cleanup_free_ char *path = path_join(below, entry->path);
		struct git_repo sub;
		int rc;

		if (entry->mode != 0160000 || !c->keep(c->data, path))
			continue;
		if (depth >= DEPTH_MOST)
			return err_set(err, ERR_INPUT, "%s: submodules are nested too deeply: %s",
			               c->fetch->where, path);
		if (commit_open_submodule(c->fetch, repo, entry->path, &sub, err) < 0)
			return -1;
		rc = add_repo(c, &sub, entry->id, path, depth + 1, err);
		git_close(&sub);
		if (rc < 0)
			return err_hint(err, "is the submodule's commit here? git submodule update "
			                     "--init --recursive");
	}
	return 0;
}

static int add_repo(struct commit *c, const struct git_repo *repo, const char *commit,
                    const char *below, int depth, struct err *err)
{
	struct git_entries entries = { 0 };
	struct wanted wanted = { 0 };
	int rc = git_list(repo, commit, &entries, err);

	for (size_t i = 0; rc == 0 && i < entries.list.n; i++) {
		_cleanup_free_ char *path = path_join(below, entries.list.v[i].path);

		if (entries.list.v[i].mode != 0160000 && c->keep(c->data, path))
			array_push(&wanted.list, &entries.list.v[i]);
	}
	if (rc == 0)
		rc = cat_wanted(c, repo, below, &wanted, err);
	if (rc == 0)
		rc = add_submodules(c, repo, &entries, below, depth, err);
	array_deinit(&wanted.list);
	git_entries_deinit(&entries);
	return rc;
}

/* ---- remembered --------------------------------------------------------------------------- */

/* What the tree hangs on, as a name for the store's memory. */
static char *memory_name(const struct git_repo *repo, const json_t *exclude)
{
	_cleanup_json_ json_t *key =
		json_pack("{s:i,s:s,s:O?}", "form", 2, "commit", repo->head, "exclude", exclude);
	_cleanup_buf_ struct buf text = BUF_INIT(1 << 20);
	struct digest digest;

	json_write_canonical(key, &text);
	digest_of(text.p, text.n, &digest);
	return str_dup(DIGEST_TEXT(&digest));
}

/* Whether a tree that was remembered is whole: the blobs of all its files are there. */
static int recall(const struct fetch *fetch, const char *name, struct tree_node *ret,
                  struct err *err)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ json_t *json = NULL;
	struct err ignored = ERR_INIT;
	struct tree_node node = { .name = "", .kind = NODE_DIR };
	int rc = store_get_fact(fetch->store, "commit", name, &text, err);

	if (rc != 0)
		return rc;
	if (json_parse(text, strlen(text), "commit", &json, &ignored) < 0 ||
	    !digest_parse(json_str_or(json, "sha256", ""), &node.ref.digest))
		return STORE_MISS;
	node.ref.size = (uint64_t)json_integer_value(json_object_get(json, "size"));
	if (!fetch_is_there(fetch->store, &node))
		return STORE_MISS;
	*ret = node;
	return 0;
}

static int remember(const struct fetch *fetch, const char *name, const struct tree_node *node,
                    struct err *err)
{
	_cleanup_json_ json_t *json =
		json_pack("{s:s,s:I}", "sha256", DIGEST_TEXT(&node->ref.digest), "size",
	                  (json_int_t)node->ref.size);
	_cleanup_buf_ struct buf text = BUF_INIT(1 << 16);

	json_write_canonical(json, &text);
	return store_put_fact(fetch->store, "commit", name, buf_text(&text), err);
}

int commit_tree(const struct fetch *fetch, const struct git_repo *repo, const json_t *exclude,
                commit_keep_fn keep, const void *data, struct tree_node *ret, struct err *err)
{
	struct commit c = { .fetch = fetch,
		            .keep = keep,
		            .data = data,
		            .arena = arena_new(),
		            .chunk = alloc(CHUNK) };
	_cleanup_free_ char *name = memory_name(repo, exclude);
	struct tree_node node = { .name = "", .kind = NODE_DIR };
	int rc = recall(fetch, name, ret, err);

	if (rc == STORE_MISS) {
		rc = add_repo(&c, repo, repo->head, "", 0, err);
		if (rc == 0)
			rc = flat_save(store_blobs(fetch->store), c.entries.v, c.entries.n,
			               &node.ref, err);
		if (rc == 0)
			rc = remember(fetch, name, &node, err);
		if (rc == 0)
			*ret = node;
	}
	array_deinit(&c.entries);
	arena_free(c.arena);
	free(c.chunk);
	return rc;
}
