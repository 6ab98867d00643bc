/* Finding, taking and keeping: see the header. */
#include "recipe/memo.h"

#include <fcntl.h>

#include "base/alloc.h"
#include "base/str.h"
#include "host/fs.h"
#include "model/stage_kept.h"
#include "recipe/seen.h"
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
	    !seen_is_same(request->project, document)) {
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
