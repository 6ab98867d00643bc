/*
 * Gathering a release: packages and profiles as artefacts, what they were made of as dependencies,
 * what a rebuild needs as the rebuild archive. What is not pinned is noted, never hidden.
 */
#include "cli/dist.h"

#include <fcntl.h>

#include "base/path.h"
#include "cli/outputs.h"
#include "cli/pin.h"
#include "external/crypto.h"
#include "host/clock.h"
#include "host/fs.h"
#include "model/embedded.h"
#include "model/lock.h"
#include "model/purl.h"

struct gather {
	struct session *s;
	const struct plan *plan;
	const struct engine_result *result;
	ARRAY(struct artefact) artefacts;
	ARRAY(struct release_target) targets;
	ARRAY(struct dist_rebuild) rebuild;
	ARRAY(json_t *) owned; /* verdicts and component lists */
	json_t *external, *internal, *dependencies, *notes, *components;
	bool *shipped; /* nodes that an artefact is made of */
};

static void note(struct gather *g, const char *text)
{
	json_array_append_new(g->notes, json_string(text));
}

static void add_dependency(struct gather *g, const char *uri, const char *sha256, const char *name)
{
	if (str_starts(sha256, "sha256:"))
		sha256 += strlen("sha256:");
	json_array_append_new(g->dependencies, json_pack("{s:s,s:{s:s},s:s}", "uri", uri, "digest",
	                                                 "sha256", sha256, "name", name));
}

/* ---- what ships --------------------------------------------------------------------------- */

/* Marks everything an artefact is made of; deps stand before users in the order. */
static void mark_shipped(struct gather *g)
{
	g->shipped = arena_array(g->s->arena, g->plan->n_nodes, sizeof(*g->shipped));
	for (size_t i = 0; i < g->plan->n_goals; i++)
		if (g->plan->goals[i].artefact)
			g->shipped[g->plan->goals[i].node] = true;
	for (size_t i = g->plan->n_wanted; i-- > 0;) {
		const struct plan_node *node = &g->plan->nodes[g->plan->order[i]];

		if (!g->shipped[g->plan->order[i]] || node->pinned)
			continue;
		for (size_t d = 0; d < node->n_deps; d++)
			g->shipped[node->deps[d]] = true;
	}
}

/* Whether every input of a target's artefacts is pinned. */
static bool target_pinned(const struct gather *g, const char *triple)
{
	const struct recipe_target *target = recipe_find_target(&g->s->recipe, triple);

	if (!g->s->runtime->pinned || !target ||
	    !lock_image(g->s->lock, target->image, g->s->facts.arch) || !g->s->has_lock)
		return false;
	for (size_t i = 0; i < g->plan->n_profiles; i++) {
		const struct plan_profile *p = &g->plan->profiles[i];

		if (str_eq(p->profile->target, triple) && g->shipped[p->node] &&
		    p->state != PROFILE_PINNED)
			return false;
	}
	return true;
}

static int add_packages(struct gather *g, struct err *err)
{
	for (size_t i = 0; i < g->plan->n_goals; i++) {
		const struct plan_goal *goal = &g->plan->goals[i];
		const struct recipe_artefact *a = goal->artefact;
		struct tree_node node;

		if (!a)
			continue;
		if (outputs_node(g->s, g->plan, g->result, goal, &node, err) < 0)
			return -1;
		array_push(&g->artefacts, ((struct artefact){
						  .file = a->name,
						  .kind = a->kind,
						  .class = ARTEFACT_SHIPPED,
						  .target = a->target,
						  .variant = a->variant,
						  .media_type = a->media_type,
						  .ref = node.ref,
						  .pinned = target_pinned(g, a->target),
					  }));
	}
	return 0;
}

static int add_profiles(struct gather *g, struct err *err)
{
	struct session *s = g->s;

	for (size_t i = 0; i < g->plan->n_profiles; i++) {
		const struct plan_profile *p = &g->plan->profiles[i];
		const struct recipe_profile *profile = p->profile;
		struct tree_node node;
		struct digest identity;

		if (!g->shipped[p->node])
			continue;
		if (pin_profile_content(s, g->plan, g->result, i, &node, &identity, err) < 0)
			return -1;
		if (p->state == PROFILE_PINNED)
			add_dependency(g, arena_fmt(s->arena, "kiln:profile/%s", profile->id),
			               DIGEST_TEXT(&node.ref.digest), profile->id);
		else
			note(g, arena_fmt(s->arena,
			                  "the profile %s was trained in this run and is not "
			                  "pinned",
			                  profile->id));
		array_push(&g->artefacts,
		           ((struct artefact){
				   .file = arena_fmt(s->arena, "%s-%s-%s%s", s->recipe.name,
		                                     s->recipe.version.text, profile->target,
		                                     recipe_profile_end(s->arena, profile)),
				   .kind = "profile",
				   .class = ARTEFACT_SHIPPED,
				   .target = profile->target,
				   .media_type = str_eq(profile->kind, "bolt") ?
		                                         "text/x-bolt-fdata" :
		                                         "application/x-llvm-profdata",
				   .ref = node.ref,
				   .pinned = p->state == PROFILE_PINNED,
			   }));
	}
	return 0;
}

static int add_targets(struct gather *g, struct err *err)
{
	for (size_t i = 0; i < g->s->recipe.n_targets; i++) {
		const struct recipe_target *t = &g->s->recipe.targets[i];
		bool any = false;
		json_t *verdict;

		for (size_t j = 0; j < g->artefacts.n; j++)
			any |= g->artefacts.v[j].target &&
			       str_eq(g->artefacts.v[j].target, t->triple);
		if (!any)
			continue;
		if (pin_verdict(g->s, g->plan, g->result, t, &verdict, err) < 0)
			return -1;
		array_push(&g->owned, verdict);
		array_push(&g->targets, ((struct release_target){
						.triple = t->triple,
						.variant = t->ship,
						.verdict = verdict,
						.components = g->components,
					}));
	}
	if (g->targets.n == 0)
		return err_set(err, ERR_INPUT,
		               "%s: the recipe makes no package: nothing to release",
		               g->s->recipe_path);
	return 0;
}

/* ---- what it was made of ------------------------------------------------------------------ */

/* A crate is named as its registry has it; one out of a repository by its commit. */
static void add_crate(struct gather *g, const json_t *crate)
{
	const char *sha256 = json_str_or(crate, "sha256", NULL);
	const char *commit = json_str_or(crate, "commit", NULL);
	const char *purl = json_str_or(crate, "purl", ""), *name = json_str_or(crate, "name", "");
	json_t *digest = json_object();

	if (commit)
		json_object_set_new(digest, "gitCommit", json_string(commit));
	else if (sha256)
		json_object_set_new(digest, "sha256", json_string(sha256));
	json_array_append_new(g->dependencies, json_pack("{s:s,s:o,s:s}", "uri", purl, "digest",
	                                                 digest, "name", name));
	json_array_append_new(g->components,
	                      json_pack("{s:s,s:s,s:s,s:s,s:s*}", "type", "library", "name", name,
	                                "version", json_str_or(crate, "version", ""), "purl", purl,
	                                "sha256", sha256));
}

static void add_crates(struct gather *g, const json_t *crates)
{
	json_t *crate;
	size_t i;

	json_array_foreach ((json_t *)crates, i, crate)
		add_crate(g, crate);
}

static void add_sources(struct gather *g)
{
	struct session *s = g->s;

	for (size_t i = 0; i < s->recipe.n_leaves; i++) {
		const struct recipe_leaf *leaf = &s->recipe.leaves[i];
		const struct fact_leaf *fact = map_get(s->facts.leaves, leaf->id);
		const json_t *about = fact->about;
		const char *uri = json_str_or(about, "uri", NULL);
		const char *digest =
			json_str_or(about, "digest", DIGEST_TEXT(&fact->node.ref.digest));

		if (!uri)
			uri = arena_fmt(s->arena, "kiln:tree/%s", leaf->id);
		add_dependency(g, uri, digest, leaf->id);
		add_crates(g, json_object_get(about, "crates"));
		if (!str_starts(uri, "pkg:"))
			continue;
		if (str_starts(digest, "sha256:"))
			digest += strlen("sha256:");
		json_array_append_new(
			g->components,
			json_pack("{s:s,s:b,s:s,s:s,s:s,s:s?,s:s}", "type", "library", "source", 1,
		                  "name", json_str_or(leaf->spec, "name", leaf->id), "version",
		                  json_str_or(about, "version", s->recipe.version.text), "purl",
		                  uri, "license", s->recipe.license.text, "sha256", digest));
	}
}

static void add_image(struct gather *g, const struct session_image *image)
{
	json_t *package;
	size_t i;

	add_dependency(g, arena_fmt(g->s->arena, "kiln:image/%s/%s", image->name, g->s->facts.arch),
	               DIGEST_TEXT(&image->image.tree), image->name);
	json_array_foreach (json_object_get(image->image.lock_section, "packages"), i, package) {
		const char *name = json_str_or(package, "name", "?");
		_cleanup_buf_ struct buf uri = BUF_INIT(4096);

		purl_deb(&uri, name, json_str_or(package, "version", "?"),
		         json_str_or(package, "architecture", "?"));
		add_dependency(g, buf_text(&uri), json_str_or(package, "sha256", ""), name);
	}
	if (!lock_image(g->s->lock, image->name, g->s->facts.arch) || !g->s->has_lock)
		note(g, arena_fmt(g->s->arena, "the image %s is not pinned: it was resolved %s",
		                  image->name,
		                  image->image.resolved_on ? image->image.resolved_on : "now"));
}

/* A release by a lock that is not the one beside its recipe says so: who reads the project's would
 * be wrong about it. */
static void add_lock(struct gather *g)
{
	struct session *s = g->s;
	_cleanup_free_ char *own = path_join(s->project, LOCK_FILE);
	bool is_own = fs_same(s->lock_path, own);

	if (!s->has_lock) {
		note(g, "there was no " LOCK_FILE);
		return;
	}
	/* Its name alone: where it lies is nobody's business, and the digest says which it was. */
	json_object_set_new(g->internal, "lock",
	                    json_pack("{s:o,s:s,s:s}", "path",
	                              json_any_text(is_own ? LOCK_FILE : path_base(s->lock_path)),
	                              "origin", is_own ? "project" : "other", "sha256",
	                              DIGEST_TEXT(&s->lock_digest)));
	if (!is_own)
		note(g, arena_fmt(s->arena,
		                  "the pins are those of another lock than the project's " LOCK_FILE
		                  ": sha256 %s",
		                  DIGEST_TEXT(&s->lock_digest)));
}

static void add_parameters(struct gather *g)
{
	struct session *s = g->s;
	json_t *targets = json_array();

	for (size_t i = 0; i < g->targets.n; i++)
		json_array_append_new(targets, json_string(g->targets.v[i].triple));
	json_object_set_new(g->external, "recipe", json_string(s->recipe_path));
	json_object_set_new(g->external, "targets", targets);
	if (json_object_size(json_object_get(s->document, "options")) > 0)
		json_object_set(g->external, "options", json_object_get(s->document, "options"));
	if (json_array_size(json_object_get(s->document, "facts")) > 0)
		json_object_set(g->internal, "facts", json_object_get(s->document, "facts"));
	json_object_set_new(g->internal, "kiln", json_string(KILN_VERSION));
	json_object_set_new(g->internal, "runtime", json_string(s->runtime->name));
	json_object_set_new(g->internal, "source_date_epoch", json_integer(s->facts.epoch));
	json_object_set(g->internal, "files", json_object_get(s->document, "files"));
	if (!s->runtime->pinned)
		note(g,
		     arena_fmt(s->arena, "built without a sandbox (runtime %s)", s->runtime->name));
	add_lock(g);
}

/* ---- what a rebuild needs ----------------------------------------------------------------- */

static int put_rebuild(struct gather *g, const char *path, const void *p, size_t n, struct err *err)
{
	struct dist_rebuild entry = { .path = arena_str(g->s->arena, path) };

	if (blobs_put(store_blobs(g->s->store), p, n, &entry.ref, err) < 0)
		return -1;
	array_push(&g->rebuild, entry);
	return 0;
}

static int add_file(struct gather *g, const json_t *file, struct err *err)
{
	const char *path = json_str_or(file, "path", "");
	_cleanup_free_ char *full = NULL;
	_cleanup_free_ char *at = NULL;
	_cleanup_buf_ struct buf text = BUF_INIT(16 << 20);
	struct digest now;
	int rc;

	if (str_eq(json_str_or(file, "origin", ""), "embedded")) {
		const struct embedded_file *e = embedded_find(path);

		at = str_fmt("library/%s", path);
		return e ? put_rebuild(g, at, e->data, e->size, err) : 0;
	}
	at = str_fmt("project/%s", path);
	full = path_join(g->s->project, path);
	rc = fs_read(AT_FDCWD, full, &text, err);
	if (rc < 0)
		return -1;
	digest_of(text.p, text.n, &now);
	if (rc == FS_MISSING || !str_eq(DIGEST_TEXT(&now), json_str_or(file, "sha256", ""))) {
		err_set(err, ERR_INPUT,
		        "%s %s since the recipe read it: the release would not be "
		        "what its rebuild archive says",
		        full, rc == FS_MISSING ? "is gone" : "was changed");
		return err_hint(err, "release again; what is built is kept");
	}
	return put_rebuild(g, at, buf_text(&text), text.n, err);
}

static bool has_rebuild(const struct gather *g, const char *path)
{
	for (size_t i = 0; i < g->rebuild.n; i++)
		if (str_eq(g->rebuild.v[i].path, path))
			return true;
	return false;
}

/* The action of every stage that shipped; two stages may be one action. */
static int add_actions(struct gather *g, struct err *err)
{
	for (size_t i = 0; i < g->plan->n_wanted; i++) {
		size_t at = g->plan->order[i];
		const struct engine_node *node = &g->result->nodes[at];
		struct dist_rebuild entry = { .ref = { node->action, node->action_size } };

		if (!g->shipped[at] || g->plan->nodes[at].pinned)
			continue;
		entry.path = arena_fmt(g->s->arena, "actions/%s", DIGEST_TEXT(&node->action));
		if (has_rebuild(g, entry.path))
			continue;
		if (engine_keep_action(store_blobs(g->s->store), g->plan, &g->s->facts,
		                       g->result->nodes, at, err) < 0)
			return -1;
		array_push(&g->rebuild, entry);
	}
	return 0;
}

static int add_rebuild(struct gather *g, struct err *err)
{
	_cleanup_buf_ struct buf lock = BUF_INIT(64 << 20);
	json_t *file;
	size_t i;

	json_array_foreach (json_object_get(g->s->document, "files"), i, file)
		if (add_file(g, file, err) < 0)
			return -1;
	if (pin_update(g->s, g->plan, g->result, err) < 0)
		return -1;
	json_write_pretty(g->s->lock, &lock);
	if (put_rebuild(g, "project/" LOCK_FILE, buf_text(&lock), lock.n, err) < 0)
		return -1;
	return add_actions(g, err);
}

/* ---- together ----------------------------------------------------------------------------- */

static int gather_all(struct gather *g, struct err *err)
{
	mark_shipped(g);
	if (add_packages(g, err) < 0 || add_profiles(g, err) < 0)
		return -1;
	add_sources(g);
	for (size_t i = 0; i < g->s->images.n; i++)
		add_image(g, &g->s->images.v[i]);
	if (add_targets(g, err) < 0)
		return -1;
	add_parameters(g);
	return add_rebuild(g, err);
}

static void gather_deinit(struct gather *g)
{
	for (size_t i = 0; i < g->owned.n; i++)
		json_decref(g->owned.v[i]);
	array_deinit(&g->owned);
	array_deinit(&g->artefacts);
	array_deinit(&g->targets);
	array_deinit(&g->rebuild);
	json_decref(g->external);
	json_decref(g->internal);
	json_decref(g->dependencies);
	json_decref(g->notes);
	json_decref(g->components);
}

static int write_gathered(struct gather *g, const struct dist_options *options, const char *dir,
                          struct dist_result *ret, struct err *err)
{
	const struct recipe *recipe = &g->s->recipe;
	const struct dist_input input = {
		.facts = {
			.name = recipe->name,
			.version = recipe->version.text,
			.license = recipe->license.text,
			.summary = recipe->summary,
			.homepage = recipe->homepage,
			.kiln_version = KILN_VERSION,
			.epoch = g->s->facts.epoch,
			.started = options->started,
			.finished = clock_wall_us() / 1000000,
			.external = g->external,
			.internal = g->internal,
			.dependencies = g->dependencies,
			.notes = g->notes,
			.targets = g->targets.v,
			.n_targets = g->targets.n,
			.artefacts = g->artefacts.v,
			.n_artefacts = g->artefacts.n,
		},
		.rebuild = g->rebuild.v,
		.n_rebuild = g->rebuild.n,
		.signer = options->signer,
		.replace = options->replace,
		.out = dir,
	};

	return dist_write(store_blobs(g->s->store), &input, ret, err);
}

int dist_from_run(struct session *s, const struct plan *plan, const struct engine_result *result,
                  const struct dist_options *options, const char **ret_dir, struct dist_result *ret,
                  struct err *err)
{
	struct gather g = {
		.s = s,
		.plan = plan,
		.result = result,
		.external = json_object(),
		.internal = json_object(),
		.dependencies = json_array(),
		.notes = json_array(),
		.components = json_array(),
	};
	const char *dir = arena_fmt(s->arena, "%s/%s-%s", options->out, s->recipe.name,
	                            s->recipe.version.text);
	int rc = gather_all(&g, err);

	if (rc == 0)
		rc = write_gathered(&g, options, dir, ret, err);
	gather_deinit(&g);
	*ret_dir = dir;
	return rc;
}
