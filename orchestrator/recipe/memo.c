/* Finding, taking and keeping: see the header. */
#include "recipe/memo.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/path.h"
#include "base/str.h"
#include "external/crypto.h"
#include "host/fs.h"
#include "model/stage_kept.h"
#include "snapshot/snapshot.h"

enum { PRINTED_MOST = 1 << 20, KEY_MOST = 1 << 20, DOCUMENT_MOST = 64 << 20 };

static const char magic[] = "kilnrcp1", suffix[] = ".recipe";

void recipe_memo_init(struct recipe_memo *memo, const char *store_dir)
{
	int fd = open(store_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 && !kept_is_ours(fd))
		fd = fs_close(fd);
	*memo = (struct recipe_memo){ .store_fd = fd, .printed = BUF_INIT(PRINTED_MOST) };
}

void recipe_memo_deinit(struct recipe_memo *memo)
{
	memo->store_fd = fs_close(memo->store_fd);
	kept_close(&memo->file);
	buf_deinit(&memo->printed);
}

/* Recipes that ask what more than files says are not kept. */
static bool make_key(const struct recipe_request *request, struct buf *key)
{
	if (request->committed || request->snapshot ||
	    snapshot_key_machine("/proc/self/exe", key) < 0)
		return false;
	buf_fmt(key, "%s\n%s\n", request->project, request->recipe);
	if (request->set)
		json_write_canonical(request->set, key);
	return !key->overflow;
}

/* ---- whether all is as it was --------------------------------------------------------------- */

/* As a recipe sees it, which sees nothing outside of the project. */
static int open_seen(int project, const char *path, int flags, int *ret_fd)
{
	struct err ignored = ERR_INIT;

	return fs_open_beneath(project, path, flags, 0, false, ret_fd, &ignored);
}

/* A fifo or a device blocks nobody. */
enum { READ_ONLY = O_RDONLY | O_NONBLOCK | O_NOCTTY };

static bool file_is_same(int project, const json_t *file)
{
	const char *path = json_str_or(file, "path", "");
	_cleanup_fd_ int fd = -1;
	struct blob_ref found;
	struct err ignored = ERR_INIT;
	struct stat st;

	if (str_eq(json_str_or(file, "origin", ""), "embedded"))
		return true;
	return open_seen(project, path, READ_ONLY, &fd) == 0 && fstat(fd, &st) == 0 &&
	       S_ISREG(st.st_mode) && digest_of_fd(fd, path, &found, &ignored) == 0 &&
	       strstr(json_str_or(file, "sha256", "?"), DIGEST_TEXT(&found.digest));
}

static bool look_is_same(int project, const char *path, const json_t *kind)
{
	enum snapshot_kind now = SNAPSHOT_NOTHING;
	_cleanup_fd_ int fd = -1;
	struct stat st;
	int rc = open_seen(project, path, O_PATH, &fd);

	if (rc < 0 || (rc == 0 && fstat(fd, &st) < 0))
		return false;
	if (rc == 0)
		now = snapshot_kind_of(&st);
	return json_integer_value(kind) == (json_int_t)now;
}

void recipe_listing(const struct fs_names *names, struct digest *ret)
{
	struct hasher *hasher = hasher_new();

	for (size_t i = 0; i < names->names.n; i++)
		hasher_add(hasher, names->names.v[i], strlen(names->names.v[i]) + 1);
	hasher_finish(hasher, ret);
	hasher_free(hasher);
}

static bool listing_is_same(int project, const char *path, const json_t *listing)
{
	struct fs_names names = { 0 };
	struct err ignored = ERR_INIT;
	_cleanup_fd_ int fd = -1;
	struct digest now;
	bool same = open_seen(project, path, O_RDONLY | O_DIRECTORY, &fd) == 0 &&
	            fs_list(fd, ".", &names, &ignored) == 0;

	recipe_listing(&names, &now);
	fs_names_deinit(&names);
	return same && str_eq(json_string_value(listing), DIGEST_TEXT(&now));
}

static bool script_is_same(int project, const char *path, const json_t *peeked)
{
	_cleanup_fd_ int fd = -1;
	char now[RECIPE_PEEK];

	return open_seen(project, path, READ_ONLY, &fd) == 0 && recipe_peek(fd, now) == 0 &&
	       str_eq(json_string_value(peeked), now);
}

static bool is_same(const char *folder, const json_t *document)
{
	_cleanup_fd_ int project = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	json_t *file, *kind, *listing, *peeked;
	const char *path;
	size_t i;

	json_object_foreach (json_object_get(document, "peeked"), path, peeked)
		if (!script_is_same(project, path, peeked))
			return false;
	json_array_foreach (json_object_get(document, "files"), i, file)
		if (!file_is_same(project, file))
			return false;
	json_object_foreach (json_object_get(document, "looked"), path, kind)
		if (!look_is_same(project, path, kind))
			return false;
	json_object_foreach (json_object_get(document, "listed"), path, listing)
		if (!listing_is_same(project, path, listing))
			return false;
	return true;
}

/* ---- taking --------------------------------------------------------------------------------- */

void recipe_memo_say(const struct recipe_memo *memo, const struct recipe_request *request)
{
	for (size_t at = 0; at < memo->said_n; at += strlen(memo->said + at) + 1)
		log_say(request->log, LOG_NOTE, "%s: %s", request->recipe, memo->said + at);
}

bool recipe_memo_find(struct recipe_memo *memo, const struct recipe_request *request,
                      json_t **ret_document)
{
	_cleanup_buf_ struct buf key = BUF_INIT(KEY_MOST);
	_cleanup_json_ json_t *document = NULL;
	struct err ignored = ERR_INIT;
	const char *text;
	size_t n;
	char name[64];

	if (memo->store_fd < 0 || !make_key(request, &key))
		return false;
	kept_name(&key, suffix, name);
	if (!kept_open(memo->store_fd, name, magic, &key, &memo->file))
		return false;
	memo->said = kept_take_text(&memo->file, &memo->said_n);
	text = kept_take_text(&memo->file, &n);
	if (!text || json_parse(text, n, "a recipe", &document, &ignored) < 0 ||
	    !is_same(request->project, document)) {
		kept_close(&memo->file);
		return false;
	}
	memo->found = true;
	*ret_document = steal(document);
	return true;
}

bool recipe_memo_take_stages(struct recipe_memo *memo, struct arena *arena, struct recipe *ret)
{
	struct stages_taking taking = { .file = &memo->file, .arena = arena };
	size_t n = kept_take_u32(&memo->file);

	if (n > memo->file.n - memo->file.at)
		return false;
	ret->stages = arena_array(arena, n, sizeof(*ret->stages));
	ret->n_stages = n;
	for (size_t i = 0; i < n; i++)
		stage_take(&taking, &ret->stages[i]);
	return !memo->file.bad;
}

/* ---- keeping -------------------------------------------------------------------------------- */

/* A repository's history is more than the files that were read; and of what could not be looked at nobody
 * knows when it can be. */
static bool may_be_kept(const struct recipe *recipe)
{
	json_t *fact;
	size_t i;

	if (json_object_get(recipe->document, "unsure"))
		return false;

	json_array_foreach (json_object_get(recipe->document, "facts"), i, fact)
		if (!str_eq(json_str_or(fact, "kind", ""), "cargo.manifest"))
			return false;
	return true;
}

void recipe_memo_keep(struct recipe_memo *memo, const char *store_dir,
                      const struct recipe_request *request, const struct recipe *recipe)
{
	_cleanup_buf_ struct buf key = BUF_INIT(KEY_MOST), text = BUF_INIT(DOCUMENT_MOST);
	_cleanup_fd_ int fd = open(store_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stages_keeping keeping = { 0 };
	char name[64];

	if (memo->found || fd < 0 || !kept_is_ours(fd) || !may_be_kept(recipe) ||
	    !make_key(request, &key) || memo->printed.overflow)
		return;
	json_write_canonical(recipe->document, &text);
	if (text.overflow)
		return;
	kept_name(&key, suffix, name);
	keeping.file = kept_new(fd, magic, &key);
	kept_put_text(keeping.file, buf_text(&memo->printed), memo->printed.n);
	kept_put_text(keeping.file, buf_text(&text), text.n);
	kept_put_u32(keeping.file, (uint32_t)recipe->n_stages);
	for (size_t i = 0; i < recipe->n_stages; i++)
		stage_keep(&keeping, &recipe->stages[i]);
	kept_keep(keeping.file, name);
	kept_free(keeping.file);
}
