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

/* What the facts say of the working tree: the recipe's, and those of sources that were fetched. */
struct tree_facts {
	long long changed; /* tracked files in no commit */
	bool checkout;     /* a source is the repository's commit */
};

static void note_changed(struct tree_facts *facts, const json_t *fact)
{
	long long changed = json_integer_value(json_object_get(fact, "changed"));

	if (changed > facts->changed)
		facts->changed = changed;
}

static struct tree_facts tree_facts(const struct session *s)
{
	struct tree_facts facts = { 0 };
	const char *id;
	json_t *fact;
	size_t i;

	json_array_foreach (json_object_get(s->document, "facts"), i, fact)
		note_changed(&facts, fact);
	json_object_foreach (s->leaf_facts, id, fact) {
		note_changed(&facts, fact);
		facts.checkout |= json_object_get(fact, "commit") != NULL;
	}
	return facts;
}

/* What git.version found says whether HEAD is a version. */
static int check_tag(const struct session *s, struct err *err)
{
	json_t *fact;
	size_t i;

	json_array_foreach (json_object_get(s->document, "facts"), i, fact) {
		if (!json_is_true(json_object_get(fact, "snapshot")))
			continue;
		err_set(err, ERR_INPUT,
		        "no tag that matches \"%s\" lies on the commit %.12s: its version is %s",
		        json_str_or(fact, "tag", "?"), json_str_or(fact, "commit", "?"),
		        json_str_or(fact, "version", "?"));
		return err_hint(err, "tag it (git tag NAME), or release it as a snapshot: "
		                     "--snapshot");
	}
	return 0;
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

/* ---- the release, or a snapshot ----------------------------------------------------------- */

int releasable_recipe(struct session *s, struct err *err)
{
	if (check_tag(s, err) < 0 || check_changed(tree_facts(s).changed, err) < 0)
		return -1;
	return check_license(s, err);
}

/* A checkout's version may come from somewhere else than its tags. */
int releasable_sources(struct session *s, struct err *err)
{
	const struct tree_facts facts = tree_facts(s);

	if (check_changed(facts.changed, err) < 0)
		return -1;
	return facts.checkout ? check_tracked(s, err) : 0;
}

/* 0 also after a refusal, which is printed. */
static int warn(struct session *s, int rc, struct err *err)
{
	if (rc == 0 || err->code != ERR_INPUT)
		return rc;
	print_note(s->cli, "kiln: warning: %s", err->cause);
	err_clear(err);
	return 0;
}

int releasable_warn(struct session *s, struct err *err)
{
	const struct tree_facts facts = tree_facts(s);

	if (warn(s, check_changed(facts.changed, err), err) < 0 ||
	    warn(s, check_license(s, err), err) < 0)
		return -1;
	return facts.checkout ? warn(s, check_tracked(s, err), err) : 0;
}
