/* What must hold before a release is made that others take for a version. */
#include "cli/releasable.h"

#include "base/path.h"
#include "cli/print.h"
#include "external/git.h"
#include "model/lock.h"

static int check_changed(long long changed, struct err *err)
{
	if (changed == 0)
		return 0;
	err_set(err, ERR_INPUT,
	        "%lld tracked file%s in no commit, and a release is made of the commit", changed,
	        changed == 1 ? " has changes that are" : "s have changes that are");
	return err_hint(err, "commit or stash them (git status shows them), or release what is "
	                     "committed: --snapshot");
}

/* What `kiln init` writes where it knew no licence. */
static int check_license(struct session *s, struct err *err)
{
	const char *license = s->recipe.license.text;

	if (!license || !str_eq(license, "LicenseRef-unknown"))
		return 0;
	err_set(err, ERR_INPUT,
	        "%s: license: \"%s\" is still unknown, and a release says under "
	        "which licence it may be used",
	        s->recipe_path, license);
	return err_hint(err, "write an SPDX expression, as in license = \"MIT\", or release a "
	                     "snapshot: --snapshot");
}

/* What git.version found says whether HEAD is a version. */
int releasable_recipe(struct session *s, struct err *err)
{
	json_t *fact;
	size_t i;

	json_array_foreach (json_object_get(s->document, "facts"), i, fact) {
		const char *version = json_str_or(fact, "version", "?");
		long long changed = json_integer_value(json_object_get(fact, "changed"));

		if (json_is_true(json_object_get(fact, "snapshot"))) {
			err_set(err, ERR_INPUT,
			        "no tag that matches \"%s\" lies on the commit %.12s: its version "
			        "is %s",
			        json_str_or(fact, "tag", "?"), json_str_or(fact, "commit", "?"),
			        version);
			return err_hint(err, "tag it (git tag NAME), or release it as a snapshot: "
			                     "--snapshot");
		}
		if (check_changed(changed, err) < 0)
			return -1;
	}
	return check_license(s, err);
}

/* ---- what lies beside the commit ---------------------------------------------------------- */

struct paths {
	ARRAY(const char *) list; /* relative to the project, in the arena; ended by NULL */
};

static void add_path(struct paths *paths, struct session *s, const char *path)
{
	_cleanup_free_ char *full = path_join(s->project, path);

	array_push(&paths->list, arena_str(s->arena, full));
}

/* The recipe, what it read of the project, the lock and what that pins, folders of data. */
static void list_paths(struct session *s, struct paths *paths)
{
	_cleanup_free_ char *dir = path_dir(s->recipe_path);
	json_t *file;
	size_t i;

	add_path(paths, s, s->recipe_path);
	json_array_foreach (json_object_get(s->document, "files"), i, file)
		if (str_eq(json_str_or(file, "origin", ""), "project"))
			add_path(paths, s, json_str_or(file, "path", ""));
	if (s->has_lock) {
		array_push(&paths->list, s->lock_path);
		add_path(paths, s, "kiln.profiles");
	}
	for (i = 0; i < s->recipe.n_leaves; i++) {
		const json_t *spec = s->recipe.leaves[i].spec;
		_cleanup_free_ char *path = path_join(dir, json_str_or(spec, "path", ""));

		if (str_eq(json_str_or(spec, "kind", ""), "folder"))
			add_path(paths, s, path);
	}
	array_push(&paths->list, NULL);
}

static int check_tracked(struct session *s, struct err *err)
{
	_cleanup_free_ char *first = NULL;
	struct git_repo repo = { 0 };
	struct paths paths = { 0 };
	int rc = git_open(s->recipe_dir, &repo, err);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	list_paths(s, &paths);
	rc = git_untracked(&repo, paths.list.v, &first, err);
	if (rc == 0 && first) {
		err_set(err, ERR_INPUT,
		        "%s is not tracked by git, and a release is made of the commit", first);
		rc = err_hint(err,
		              "git add %s; git commit; or release without it being there: "
		              "--snapshot",
		              first);
	}
	array_deinit(&paths.list);
	git_close(&repo);
	return rc;
}

/* Of a checkout, whose version may come from somewhere else than its tags. */
int releasable_sources(struct session *s, struct err *err)
{
	bool checkout = false;
	const char *id;
	json_t *fact;

	json_object_foreach (s->leaf_facts, id, fact) {
		if (check_changed(json_integer_value(json_object_get(fact, "changed")), err) < 0)
			return -1;
		checkout |= json_object_get(fact, "commit") != NULL;
	}
	return checkout ? check_tracked(s, err) : 0;
}

static void warn(struct session *s, struct err *err)
{
	print_note(s->cli, "kiln: warning: %s", err->cause);
	*err = ERR_INIT;
}

int releasable_warn(struct session *s, struct err *err)
{
	bool checkout = false;
	json_int_t changed = 0;
	const char *id;
	json_t *fact;

	json_object_foreach (s->leaf_facts, id, fact) {
		json_int_t here = json_integer_value(json_object_get(fact, "changed"));

		changed = here > changed ? here : changed;
		checkout |= json_object_get(fact, "commit") != NULL;
	}
	if (check_changed(changed, err) < 0)
		warn(s, err);
	if (check_license(s, err) < 0)
		warn(s, err);
	if (!checkout || check_tracked(s, err) == 0)
		return 0;
	if (err->code != ERR_INPUT)
		return -1;
	warn(s, err);
	return 0;
}
