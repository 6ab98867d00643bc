/* What a run depends on, gathered where only the command line knows it. */
#include "cli/snapshots.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "engine/engine.h"
#include "external/crypto.h"
#include "host/clock.h"
#include "host/fs.h"
#include "model/lock.h"
#include "recipe/recipe.h"
#include "snapshot/record.h"
#include "store/folder.h"

void snapshots_prepare(int argc, char **argv, struct cli *cli)
{
	const char *ignored = NULL;

	cli->said = BUF_INIT(SNAPSHOT_TEXT_MOST);
	cli->argv = argv;
	cli->began_us = clock_real_us();
	cli->key = BUF_INIT(SNAPSHOT_KEY_MOST);
	if (!snapshot_words(argc, argv, &ignored) ||
	    snapshot_key("/proc/self/exe", argc, argv, &cli->key) < 0)
		buf_clear(&cli->key);
}

/* ---- while it runs -------------------------------------------------------------------------- */

void snapshots_begin(struct session *s)
{
	if (s->cli->key.n > 0)
		s->record = store_record(s->store, &s->cli->key, s->cli->began_us);
}

static struct ledger *make_ledger(struct session *s)
{
	_cleanup_buf_ struct buf key = BUF_INIT(SNAPSHOT_KEY_MOST);

	if (s->paranoid || snapshot_key_machine("/proc/self/exe", &key) < 0)
		return NULL;
	buf_fmt(&key, "%s\n%s\n%s\n", s->project, s->recipe_path, s->recipe.name);
	for (char **word = s->cli->argv + 1; *word; word++)
		buf_add(&key, *word, strlen(*word) + 1);
	return key.overflow ? NULL : ledger_new(s->store, &key);
}

void snapshots_trust(struct session *s)
{
	s->ledger = make_ledger(s);
	if (s->ledger && ledger_holds(s->ledger))
		store_trust_stamps(s->store, true);
}

struct ledger *snapshots_ledger(struct session *s)
{
	struct ledger *ledger = s->ledger ? s->ledger : make_ledger(s);

	s->ledger = NULL;
	return ledger;
}

/* ---- at its end ----------------------------------------------------------------------------- */

/* A file that was read early in the run: its stamps count when its content is still the same. */
static void record_read(struct session *s, const char *path, const char *sha256)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct blob_ref found;
	struct err ignored = ERR_INIT;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || digest_of_fd(fd, path, &found, &ignored) < 0 ||
	    !strstr(sha256, DIGEST_TEXT(&found.digest)))
		snapshot_record_give_up(s->record);
	else
		snapshot_record_file(s->record, path, &st);
}

static void record_recipe(struct session *s)
{
	json_t *files = json_object_get(s->document, "files"), *file, *kind;
	const char *path;
	size_t i;

	json_array_foreach (files, i, file) {
		_cleanup_free_ char *full = path_join(s->project, json_str_or(file, "path", ""));

		if (str_eq(json_str_or(file, "origin", ""), "project"))
			record_read(s, full, json_str_or(file, "sha256", "?"));
	}
	json_object_foreach (json_object_get(s->document, "looked"), path, kind) {
		_cleanup_free_ char *full = path_join(s->project, path);

		snapshot_record_kind(s->record, full, (enum snapshot_kind)json_integer_value(kind));
	}
	json_object_foreach (json_object_get(s->document, "peeked"), path, kind) {
		_cleanup_free_ char *full = path_join(s->project, path);

		store_saw_file(s->store, full);
	}
	json_object_foreach (json_object_get(s->document, "listed"), path, kind) {
		_cleanup_free_ char *full = path_join(s->project, path);

		store_saw_folder(s->store, full, false);
	}
	if (s->has_lock)
		record_read(s, s->lock_path, DIGEST_TEXT(&s->lock_digest));
	else
		snapshot_record_kind(s->record, s->lock_path, SNAPSHOT_NOTHING);
}

static enum snapshot_kind kind_at(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? SNAPSHOT_NOTHING : snapshot_kind_of(&st);
}

/* Whether a folder has a mark of a project's root is so again, or nothing else would be the project. */
static bool record_marks(struct session *s, const char *folder)
{
	bool any = false;

	for (size_t i = 0; recipe_project_marks[i]; i++) {
		_cleanup_free_ char *path = path_join(folder, recipe_project_marks[i]);
		enum snapshot_kind kind = kind_at(path);

		snapshot_record_kind(s->record, path, kind);
		any |= kind != SNAPSHOT_NOTHING;
	}
	return any;
}

/* What makes the project the one that it is: marks in it, or nowhere up to the root. */
static void record_project(struct session *s)
{
	_cleanup_free_ char *at = NULL;
	struct err ignored = ERR_INIT;

	if (fs_real_path(s->recipe_dir, &at, &ignored) != 0) {
		snapshot_record_give_up(s->record);
		return;
	}
	while (!record_marks(s, at) && !str_eq(at, "/")) {
		char *up = path_dir(at);

		free(at);
		at = up;
	}
}

/* Where no recipe is named, the first one upwards is meant. */
static void record_search(struct session *s)
{
	_cleanup_free_ char *at = NULL, *home = NULL;
	struct err ignored = ERR_INIT;

	if (s->typed || fs_real_path(".", &at, &ignored) != 0 ||
	    fs_real_path(s->recipe_dir, &home, &ignored) != 0)
		return;
	while (!str_eq(at, home) && !str_eq(at, "/")) {
		_cleanup_free_ char *path = path_join(at, RECIPE_FILE);
		char *up = path_dir(at);

		snapshot_record_kind(s->record, path, SNAPSHOT_NOTHING);
		free(at);
		at = up;
	}
}

/* A word is a stage, or a folder where there is one of that name. */
static void record_words(struct session *s)
{
	for (char **word = s->cli->argv + 1; *word; word++)
		if (word[0][0] && word[0][0] != '-')
			snapshot_record_kind(s->record, *word, kind_at(*word));
}

/* A folder of the project's own definitions and what is in it: they stand before Kiln's. */
static void record_own(struct session *s, const char *folder)
{
	_cleanup_free_ char *dir = str_fmt("%s/.kiln/%s", s->project, folder);
	struct fs_names list = { 0 };
	struct err err = ERR_INIT;

	store_saw_file(s->store, dir);
	if (fs_list(AT_FDCWD, dir, &list, &err) < 0)
		snapshot_record_give_up(s->record);
	for (size_t i = 0; i < list.names.n; i++) {
		_cleanup_free_ char *path = path_join(dir, list.names.v[i]);

		store_saw_file(s->store, path);
	}
	fs_names_deinit(&list);
}

/* Each image is still there. */
static void record_images(struct session *s)
{
	record_own(s, "toolchains");
	record_own(s, "containers");
	for (size_t i = 0; i < s->images.n; i++) {
		_cleanup_free_ char *marker = str_fmt("%s/images/%s/complete", store_dir(s->store),
		                                      DIGEST_TEXT(&s->images.v[i].image.tree));

		store_saw_file(s->store, marker);
	}
}

/* What was shown, or asked for, is still in the store. */
static void record_results(struct session *s, const struct plan *plan,
                           const struct engine_result *result)
{
	for (size_t i = 0; i < plan->n_goals; i++) {
		const struct result *r = result->nodes[plan->goals[i].node].result;

		if (!r) /* it is pinned, say */
			continue;
		for (size_t o = 0; o < r->n_outputs; o++)
			if (r->outputs[o].node->kind != NODE_LINK)
				snapshot_record_blob(s->record, &r->outputs[o].node->ref);
	}
}

/* A repository's state is recorded by whoever takes its files in; that of a manifest is its files. */
static bool knows_facts(const struct session *s)
{
	bool has_checkout = false;
	json_t *fact;
	size_t i;

	if (json_object_get(s->document, "unsure"))
		return false;
	for (i = 0; i < s->recipe.n_leaves; i++)
		has_checkout |=
			str_eq(json_str_or(s->recipe.leaves[i].spec, "kind", ""), "checkout");
	json_array_foreach (json_object_get(s->document, "facts"), i, fact) {
		const char *kind = json_str_or(fact, "kind", "");

		if (!str_eq(kind, "cargo.manifest") &&
		    !(has_checkout && str_eq(kind, "git.version")))
			return false;
	}
	return true;
}

void snapshots_end(struct session *s, const struct plan *plan, const struct engine_result *result)
{
	if (!s->record)
		return;
	if (result->n_run || result->n_failed || result->n_skipped || !knows_facts(s)) {
		snapshot_record_give_up(s->record);
		return;
	}
	record_recipe(s);
	record_project(s);
	record_search(s);
	record_words(s);
	record_images(s);
	record_results(s, plan, result);
	snapshot_record_keep(s->record, &s->cli->said);
}
