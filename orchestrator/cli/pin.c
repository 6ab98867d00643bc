/* From a finished run to the lock: profiles with what they belong to, verdicts with their grounds. */
#include "cli/pin.h"

#include <fcntl.h>

#include "base/path.h"
#include "cli/keep.h"
#include "cli/outputs.h"
#include "cli/print.h"
#include "cli/unseen.h"
#include "host/fs.h"
#include "model/embedded.h"
#include "model/lock.h"
#include "plan/identity.h"

enum { PROFILE_MOST = 1 << 30 };

/* ---- profiles ----------------------------------------------------------------------------- */

char *pin_profile_name(struct session *s, const struct recipe_profile *profile)
{
	return str_fmt("%s-%s%s", s->recipe.name, profile->target,
	               recipe_profile_end(s->arena, profile));
}

static int content_of(struct session *s, const struct plan *plan,
                      const struct engine_result *result, size_t i, struct tree_node *ret,
                      struct err *err)
{
	const struct plan_profile *p = &plan->profiles[i];
	const struct plan_goal goal = { .node = p->node, .path = p->from.path };

	return outputs_node(s, plan, result, &goal, ret, err);
}

int pin_profile_content(struct session *s, const struct plan *plan,
                        const struct engine_result *result, size_t i, struct tree_node *ret_node,
                        struct digest *ret_identity, struct err *err)
{
	const struct recipe_profile *profile = plan->profiles[i].profile;
	struct tree_node after;
	const struct digest *after_digest = NULL;

	for (size_t j = 0; profile->after && j < plan->n_profiles; j++)
		if (str_eq(plan->profiles[j].profile->id, profile->after)) {
			if (content_of(s, plan, result, j, &after, err) < 0)
				return -1;
			after_digest = &after.ref.digest;
		}
	if (profile_identity(&s->recipe, profile, &s->facts, &plan->profiles[i].maker, after_digest,
	                     ret_identity, err) < 0)
		return -1;
	return content_of(s, plan, result, i, ret_node, err);
}

static int pin_profile(struct session *s, const struct plan *plan,
                       const struct engine_result *result, size_t i, struct err *err)
{
	const struct recipe_profile *profile = plan->profiles[i].profile;
	_cleanup_free_ char *name = pin_profile_name(s, profile);
	_cleanup_free_ char *path = path_join(LOCK_PROFILES, name);
	const char *slot = recipe_profile_slot(profile);
	const json_t *old = lock_profile(s->lock, s->recipe.name, profile->target, slot);
	struct tree_node node;
	struct digest identity;
	json_t *pin;

	if (pin_profile_content(s, plan, result, i, &node, &identity, err) < 0)
		return -1;
	/* Where the same content lies stays as somebody wrote it: a path, or an address. */
	if (str_eq(json_str_or(old, "sha256", ""), DIGEST_TEXT(&node.ref.digest)))
		pin = json_copy((json_t *)old);
	else
		pin = json_pack("{s:s,s:I,s:s}", "sha256", DIGEST_TEXT(&node.ref.digest), "size",
		                (json_int_t)node.ref.size, "path", path);
	json_object_set_new(pin, "identity", json_string(DIGEST_TEXT(&identity)));
	lock_set_profile(s->lock, s->recipe.name, profile->target, slot, pin);
	return 0;
}

static int write_profile(struct session *s, const struct plan *plan,
                         const struct engine_result *result, size_t i, struct err *err)
{
	const struct recipe_profile *profile = plan->profiles[i].profile;
	_cleanup_free_ char *name = pin_profile_name(s, profile);
	_cleanup_free_ char *beside = path_dir(s->lock_path);
	_cleanup_free_ char *dir = path_join(beside, LOCK_PROFILES);
	_cleanup_buf_ struct buf content = BUF_INIT(PROFILE_MOST);
	_cleanup_fd_ int fd = -1;
	struct tree_node node;
	int rc;

	if (!json_object_get(lock_profile(s->lock, s->recipe.name, profile->target,
	                                  recipe_profile_slot(profile)),
	                     "path"))
		return 0; /* it lies at an address */
	if (content_of(s, plan, result, i, &node, err) < 0)
		return -1;
	rc = blobs_read(store_blobs(s->store), &node.ref, &content, err);
	if (rc == BLOBS_MISS)
		return blobs_miss(&node.ref, name, err);
	if (rc < 0 || fs_make_dirs(AT_FDCWD, dir, 0777, err) < 0)
		return -1;
	if (fs_open_dir(AT_FDCWD, dir, &fd, err) != 0)
		return err_set(err, ERR_IO, "%s is no folder", dir);
	/* By rename: an old lock never finds half a file. */
	return fs_write_file(fd, name, buf_text(&content), content.n, 0644, true, err);
}

/* ---- verdicts ----------------------------------------------------------------------------- */

static json_t *candidates_of(const struct recipe_target *target)
{
	json_t *list = json_array();

	for (size_t i = 0; i < target->n_variants; i++)
		json_array_append_new(list, json_string(target->variants[i]));
	return list;
}

int pin_verdict(struct session *s, const struct plan *plan, const struct engine_result *result,
                const struct recipe_target *target, json_t **ret, struct err *err)
{
	json_t *smoke = json_object();
	json_t *verdict =
		json_pack("{s:s,s:s?,s:s,s:o,s:o,s:o}", "kind", "declared", "ship", target->ship,
	                  "reference", target->reference, "candidates", candidates_of(target),
	                  "inputs", plan_verdict_inputs(&s->facts), "smoke", smoke);
	const json_t *pinned = plan_verdict(plan, &s->facts, target->triple);
	json_t *unseen = NULL;

	if (pinned && json_object_get(pinned, "smoke"))
		json_object_update(smoke, json_object_get(pinned, "smoke"));
	for (size_t i = 0; i < plan->n_goals; i++) {
		const struct plan_goal *goal = &plan->goals[i];
		_cleanup_json_ json_t *report = NULL;

		if (!goal->smoke || !str_eq(goal->smoke->target, target->triple))
			continue;
		if (outputs_smoke(s, plan, result, goal, &report, err) < 0) {
			json_decref(verdict);
			return -1;
		}
		json_object_set(smoke, goal->smoke->variant, json_object_get(report, "cases"));
	}
	if (unseen_find(s, plan, result, target, &unseen, err) < 0) {
		json_decref(verdict);
		return -1;
	}
	if (unseen)
		json_object_set_new(verdict, "unseen", unseen);
	*ret = verdict;
	return 0;
}

/* ---- the rest of the lock ----------------------------------------------------------------- */

static void pin_toolchains(struct session *s)
{
	json_t *file;
	size_t i;

	json_array_foreach (json_object_get(s->document, "files"), i, file) {
		const char *path = json_str_or(file, "path", "");
		_cleanup_free_ char *name = NULL;

		if (!strstr(path, "toolchains/") || !str_ends(path, ".yaml"))
			continue;
		name = str_dup_n(path_base(path), strlen(path_base(path)) - strlen(".yaml"));
		lock_set_toolchain(s->lock, name, json_str_or(file, "sha256", ""));
	}
}

static void pin_library(struct session *s)
{
	struct digest digest;

	embedded_digest(&digest);
	lock_set_library(s->lock, DIGEST_TEXT(&digest));
}

/* Asked again, the archive had the same: the lock stays as it is, with the time of the first answer. */
static bool same_but_for_time(const json_t *pinned, const json_t *section)
{
	_cleanup_json_ json_t *there = json_copy((json_t *)pinned);

	json_object_set(there, "resolved", json_object_get(section, "resolved"));
	return json_object_get(pinned, "resolved") && json_equal(there, section);
}

static void pin_images(struct session *s)
{
	for (size_t i = 0; i < s->images.n; i++) {
		const char *name = s->images.v[i].name;
		const json_t *section = s->images.v[i].image.lock_section;
		const json_t *pinned = lock_image(s->lock, name, s->facts.arch);

		if (!pinned || !same_but_for_time(pinned, section))
			lock_set_image(s->lock, name, s->facts.arch, json_deep_copy(section));
	}
}

static void pin_leaves(struct session *s)
{
	for (size_t i = 0; i < s->recipe.n_leaves; i++) {
		const struct recipe_leaf *leaf = &s->recipe.leaves[i];
		json_t *about = json_object_get(s->leaf_facts, leaf->id);

		const char *kind = json_str_or(leaf->spec, "kind", "");

		/* What lies in this repository is pinned by the repository. */
		if (!about || str_eq(kind, "folder") || str_eq(kind, "checkout"))
			continue;
		about = json_deep_copy(about);
		json_object_del(about, "crates"); /* Cargo.lock has them */
		lock_set_source(s->lock, s->recipe.name, leaf->id, about);
	}
}

static bool target_wanted(const struct plan *plan, const char *triple)
{
	for (size_t i = 0; i < plan->n_goals; i++)
		if (str_eq(plan->nodes[plan->goals[i].node].stage->target, triple))
			return true;
	return false;
}

int pin_update(struct session *s, const struct plan *plan, const struct engine_result *result,
               struct err *err)
{
	pin_library(s);
	pin_toolchains(s);
	pin_images(s);
	pin_leaves(s);
	for (size_t i = 0; i < plan->n_profiles; i++)
		if (plan->nodes[plan->profiles[i].node].wanted &&
		    pin_profile(s, plan, result, i, err) < 0)
			return -1;
	for (size_t i = 0; i < s->recipe.n_targets; i++) {
		const struct recipe_target *target = &s->recipe.targets[i];
		json_t *verdict;

		if (!target->ship || !target_wanted(plan, target->triple))
			continue;
		if (pin_verdict(s, plan, result, target, &verdict, err) < 0)
			return -1;
		/* A run that did not test what ships has nothing to say about it. */
		if (json_object_get(json_object_get(verdict, "smoke"), target->ship))
			lock_set_verdict(s->lock, s->recipe.name, target->triple, verdict);
		else
			json_decref(verdict);
	}
	return 0;
}

int pin_write(struct session *s, const struct plan *plan, const struct engine_result *result,
              struct err *err)
{
	bug_on(!s->runtime->pinned);
	/* The profiles first: a lock must never name a file that is not there yet. */
	if (pin_update(s, plan, result, err) < 0)
		return -1;
	for (size_t i = 0; i < plan->n_profiles; i++)
		if (plan->nodes[plan->profiles[i].node].wanted &&
		    write_profile(s, plan, result, i, err) < 0)
			return -1;
	if (lock_write(s->lock_path, s->lock, err) < 0)
		return -1;
	s->has_lock = true;
	print_note(s->cli, "  wrote %s", s->lock_path);
	return keep_lock(s, err);
}
