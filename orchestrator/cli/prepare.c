/*
 * Facts before the plan: sources, images, what the lock pins, what the machine has. Each is known
 * by content when this is done; nothing of the recipe has run.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "cli/print.h"
#include "cli/runtime.h"
#include "cli/session.h"
#include "cli/sharing.h"
#include "cli/snapshots.h"
#include "cli/vendor.h"
#include "external/crypto.h"
#include "host/fs.h"
#include "image/definition.h"
#include "model/container.h"
#include "model/embedded.h"
#include "model/lock.h"
#include "profile/heldout.h"
#include "profile/probe.h"
#include "source/source.h"
#include "store/folder.h"

/* ---- sources ------------------------------------------------------------------------------ */

/*
 * What to fetch: the recipe's words, and where they leave a Debian source open, what the lock says.
 * A new reference.
 */
static int pinned_spec(struct session *s, const struct recipe_leaf *leaf, json_t **ret,
                       struct err *err)
{
	const json_t *pin = s->update ? NULL : lock_source(s->lock, s->recipe.name, leaf->id);
	const char *asked = json_str_or(leaf->spec, "version", NULL);
	const char *version = json_str_or(pin, "version", NULL);
	const char *digest = json_str_or(pin, "digest", NULL);
	json_t *spec = json_copy((json_t *)leaf->spec);

	*ret = spec;
	if (!str_eq(json_str_or(spec, "kind", ""), "debian") || json_object_get(spec, "dsc") ||
	    !version || !digest)
		return 0;
	if (asked && !str_eq(asked, version)) {
		err_set(err, ERR_INPUT, "%s: the source \"%s\" is to be version %s, but %s pins %s",
		        json_str_or(spec, "where", s->recipe_path), leaf->id, asked, s->lock_path,
		        version);
		return err_hint(err, "`kiln lock` pins what the recipe asks for");
	}
	json_object_set_new(spec, "version", json_string(version));
	json_object_set_new(spec, "dsc", json_string(digest));
	return 0;
}

static void say_unpinned(struct session *s, const struct recipe_leaf *leaf, const json_t *fact)
{
	const char *day = json_str_or(fact, "resolved_on", NULL);

	if (day && !s->update)
		print_note(s->cli, "  source %s: unpinned, %s resolved %s; pin it with `kiln lock`",
		           leaf->id, json_str_or(fact, "version", "?"), day);
}

static int fetch_as(struct session *s, const struct recipe_leaf *leaf, const json_t *spec,
                    struct source_result *ret, struct err *err)
{
	struct source_runner runner;
	struct source_request request = {
		.id = leaf->id,
		.leaf = spec,
		.recipe_dir = s->recipe_dir,
		.offline = s->offline,
		.update = s->update,
		.jobs = s->cli->jobs,
		.committed = s->committed,
		.mirror = s->mirror,
	};

	if (vendor_is(leaf) && vendor_fill(s, leaf, &request, &runner, err) < 0)
		return -1;
	return source_fetch(s->store, &request, &s->cli->log, ret, err);
}

static int fetch_leaf(struct session *s, const struct recipe_leaf *leaf, struct err *err)
{
	struct fact_leaf *fact = arena_alloc(s->arena, sizeof(*fact));
	struct source_result result = { 0 };
	_cleanup_json_ json_t *spec = NULL;

	if (pinned_spec(s, leaf, &spec, err) < 0 || fetch_as(s, leaf, spec, &result, err) < 0)
		return -1;
	fact->node = result.node;
	fact->node.name = "";
	if (result.fact) {
		say_unpinned(s, leaf, result.fact);
		json_object_set_new(s->leaf_facts, leaf->id, result.fact);
		fact->about = json_object_get(s->leaf_facts, leaf->id);
	}
	map_set(s->facts.leaves, leaf->id, fact);
	return vendor_is(leaf) ? vendor_check(s, leaf, fact->about, err) : 0;
}

/* Those that need no image, or those that are fetched in one. */
static int fetch_leaves(struct session *s, bool in_image, struct err *err)
{
	for (size_t i = 0; i < s->recipe.n_leaves; i++)
		if (vendor_is(&s->recipe.leaves[i]) == in_image &&
		    fetch_leaf(s, &s->recipe.leaves[i], err) < 0)
			return -1;
	return 0;
}

/* One that was taken in, again. */
static int take_again(struct session *s, const struct recipe_leaf *leaf, struct err *err)
{
	const struct fact_leaf *fact = map_get(s->facts.leaves, leaf->id);
	_cleanup_json_ json_t *spec = NULL;
	struct source_result again = { 0 };
	bool same;

	if (pinned_spec(s, leaf, &spec, err) < 0 || fetch_as(s, leaf, spec, &again, err) < 0)
		return -1;
	same = again.node.kind == fact->node.kind &&
	       again.node.executable == fact->node.executable &&
	       digest_eq(&again.node.ref.digest, &fact->node.ref.digest);
	source_result_deinit(&again);
	if (same)
		return 0;
	err_set(err, ERR_INPUT, "the source \"%s\" is another one than when it was taken in",
	        leaf->id);
	return err_hint(err, "run the same command again: it takes the source as it is then");
}

int session_take_sources(void *session, struct err *err)
{
	struct session *s = session;
	int rc = 0;

	if (!store_trusts_stamps(s->store))
		return 0;
	store_trust_stamps(s->store, false);
	for (size_t i = 0; rc == 0 && i < s->recipe.n_leaves; i++)
		if (source_lies_here(s->recipe.leaves[i].spec))
			rc = take_again(s, &s->recipe.leaves[i], err);
	return rc;
}

/* What is read while sources are fetched may be missed, too. */
static int fetch_surely(struct session *s, bool in_image, struct err *err)
{
	int rc = fetch_leaves(s, in_image, err);

	if (rc == 0 || !blobs_is_miss(err) || !store_trusts_stamps(s->store))
		return rc;
	err_clear(err);
	print_note(s->cli,
	           "  content of sources is missing from the store: they are taken in again");
	if (in_image && session_take_sources(s, err) < 0)
		return -1;
	store_trust_stamps(s->store, false);
	return fetch_leaves(s, in_image, err);
}

static int fill_values(struct session *s, struct err *err)
{
	struct recipe *r = &s->recipe;
	char *end;

	if (recipe_value_fill(&r->version, "version", s->leaf_facts, s->arena, err) < 0 ||
	    recipe_value_fill(&r->license, "license", s->leaf_facts, s->arena, err) < 0 ||
	    recipe_value_fill(&r->date, "date", s->leaf_facts, s->arena, err) < 0)
		return -1;
	if (!r->date.text)
		return err_set(err, ERR_INPUT,
		               "%s: the recipe has no date: every file of a release needs one that "
		               "does not come from the clock",
		               s->recipe_path);
	s->facts.epoch = strtoll(r->date.text, &end, 10);
	if (*end || s->facts.epoch < 0)
		return err_set(err, ERR_INPUT, "%s: the date \"%s\" is not seconds since 1970",
		               s->recipe_path, r->date.text);
	return 0;
}

/* ---- images ------------------------------------------------------------------------------- */

/* "clang-19", and "rustc", which has no number in its name; not "clang-19-doc". */
static bool is_compiler(const char *name)
{
	static const char *const prefixes[] = { "clang-", "lld-", "llvm-", "bolt-", "gcc-", NULL };

	for (size_t p = 0; prefixes[p]; p++) {
		size_t n = strlen(prefixes[p]);

		if (str_starts(name, prefixes[p]) && name[n] >= '0' && name[n] <= '9' &&
		    !strchr(name + n, '-'))
			return true;
	}
	return str_eq(name, "rustc");
}

/* Versions of the packages whose change makes a profile unfit: compiler, linker, BOLT. */
static const char *compiler_of(struct session *s, const json_t *section)
{
	_cleanup_buf_ struct buf text = BUF_INIT(64 << 10);
	json_t *package;
	size_t i;

	json_array_foreach (json_object_get(section, "packages"), i, package) {
		const char *name = json_str_or(package, "name", "");

		if (is_compiler(name))
			buf_fmt(&text, "%s%s=%s", text.n ? " " : "", name,
			        json_str_or(package, "version", "?"));
	}
	return arena_str(s->arena, buf_text(&text));
}

static const struct recipe_image *find_own(const struct session *s, const char *name)
{
	for (size_t i = 0; i < s->recipe.n_images; i++)
		if (str_eq(s->recipe.images[i].name, name))
			return &s->recipe.images[i];
	return NULL;
}

/* What an image is made of: a container file, with the packages a recipe adds. A new reference. */
static int define_image(struct session *s, const char *name, const char *where, json_t **ret,
                        struct err *err)
{
	const struct recipe_image *own = find_own(s, name);
	const char *file = own ? own->base : name;
	struct definition container = { 0 };
	int rc = container_load(s->project, file, &container, err);

	if (rc == DEFINITION_UNKNOWN) {
		definition_refuse(s->project, "containers", "container", file, err);
		return err_while(err, "reading the target at %s", where);
	}
	if (rc < 0)
		return -1;
	*ret = json_deep_copy(yaml_doc_json(container.yaml));
	definition_deinit(&container);
	if (own)
		json_array_extend(json_object_get(*ret, "packages"), (json_t *)own->packages);
	return 0;
}

static int ensure_image(struct session *s, const char *name, const char *where, struct err *err)
{
	_cleanup_json_ json_t *container = NULL;
	struct session_image *entry;
	struct fact_image *fact;
	int rc;

	if (map_has(s->facts.images, name))
		return 0;
	if (define_image(s, name, where, &container, err) < 0)
		return -1;
	const struct image_request request = {
		.name = name,
		.container = container,
		.arch = s->facts.arch,
		.lock = s->update ? NULL : lock_image(s->lock, name, s->facts.arch),
		.offline = s->offline,
		.update = s->update,
		.mirror = s->mirror,
	};
	entry = array_add(&s->images);
	entry->name = arena_str(s->arena, name);
	rc = image_ensure(s->store, &request, &s->cli->log, &entry->image, err);
	if (rc < 0) {
		const struct recipe_image *own = find_own(s, name);

		s->images.n--;
		if (own && err->code == ERR_INPUT)
			err_hint(err, "its packages are those of `add` and what builder and "
			              "scripts need");
		err_while(err, "getting the image \"%s\"", name);
		return own ? err_while(err, "extending \"%s\" at %s", own->base, own->where) : -1;
	}
	entry->compiler = compiler_of(s, entry->image.lock_section);
	entry->jobs_style = sharing_style(entry->image.lock_section);
	fact = arena_alloc(s->arena, sizeof(*fact));
	*fact = (struct fact_image){ entry->image.tree, entry->compiler };
	/* What the machine's own tools made must never be found under the image's name. */
	if (runtime_leaves_image(s->runtime_name))
		digest_of(s->runtime_name, strlen(s->runtime_name), &fact->tree);
	map_set(s->facts.images, entry->name, fact);
	if (entry->image.resolved_now && s->update)
		print_note(s->cli, "  image %s: resolved anew", name);
	else if (entry->image.resolved_on)
		print_note(s->cli, "  image %s: unpinned, resolved %s; pin it with `kiln lock`",
		           name, entry->image.resolved_on);
	return 0;
}

/* The target's image, and those that single stages name. */
static int ensure_images(struct session *s, struct err *err)
{
	for (size_t i = 0; i < s->recipe.n_targets; i++)
		if (ensure_image(s, s->recipe.targets[i].image, s->recipe.targets[i].where, err) <
		    0)
			return -1;
	for (size_t i = 0; i < s->recipe.n_stages; i++) {
		const char *image = stage_image(&s->recipe.stages[i]);

		if (image && ensure_image(s, image, s->recipe.stages[i].where, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- what the lock pins ------------------------------------------------------------------- */

static int refuse_pin(struct session *s, const char *path, const char *why, struct err *err)
{
	err_set(err, ERR_INPUT, "%s pins the profile %s, %s", s->lock_path, path, why);
	return err_hint(err, "take the file back from version control, or train anew with "
	                     "`kiln train` and pin it with `kiln lock`");
}

/* A profile that is too large for version control lies at an address. */
static int fetch_pin(struct session *s, const char *url, const char *sha256, struct err *err)
{
	_cleanup_json_ json_t *spec = json_pack("{s:s,s:s,s:s,s:s}", "kind", "https", "where",
	                                        s->lock_path, "url", url, "sha256", sha256);
	const struct recipe_leaf leaf = { "pinned profile", spec };
	struct source_result result = { 0 };

	if (fetch_as(s, &leaf, spec, &result, err) < 0)
		return -1;
	source_result_deinit(&result);
	return 0;
}

/* Brings the pinned profile's content into the store: from beside the lock, else from its address. */
static int load_pin(struct session *s, const json_t *pin, struct fact_pin *ret, struct err *err)
{
	const char *path = json_str_or(pin, "path", ""), *sha = json_str_or(pin, "sha256", "");
	const char *url = json_str_or(pin, "url", NULL);
	_cleanup_free_ char *dir = path_dir(s->lock_path);
	_cleanup_free_ char *full = NULL;
	_cleanup_fd_ int fd = -1;
	struct blob_ref ref, got;
	int rc = FS_MISSING;

	if (!digest_parse(sha, &ref.digest) ||
	    !digest_parse(json_str_or(pin, "identity", ""), &ret->identity) ||
	    !path_is_tree(path) || (!path[0] && !url))
		return refuse_pin(s, path[0] ? path : "?", "but its entry is malformed", err);
	ref.size = (uint64_t)json_integer_value(json_object_get(pin, "size"));
	ret->file = (struct tree_node){ .name = "", .kind = NODE_FILE, .ref = ref };
	if (blobs_has(store_blobs(s->store), &ref))
		return 0;
	full = path_join(dir, path);
	if (path[0])
		rc = fs_open(AT_FDCWD, full, &fd, err);
	if (rc == FS_MISSING)
		return url ? fetch_pin(s, url, sha, err) :
		             refuse_pin(s, path, "which is not there", err);
	if (rc < 0 || blobs_put_fd(store_blobs(s->store), fd, full, &got, err) < 0)
		return -1;
	if (!digest_eq(&got.digest, &ref.digest)) {
		_cleanup_free_ char *why = str_fmt("with SHA-256 %s, but the file has %s", sha,
		                                   DIGEST_TEXT(&got.digest));

		return refuse_pin(s, path, why, err);
	}
	return 0;
}

static int read_pins(struct session *s, struct err *err)
{
	for (size_t i = 0; i < s->recipe.n_profiles; i++) {
		const struct recipe_profile *p = &s->recipe.profiles[i];
		const json_t *pin =
			lock_profile(s->lock, s->recipe.name, p->target, recipe_profile_slot(p));
		struct fact_pin *fact;

		if (!pin)
			continue;
		fact = arena_alloc(s->arena, sizeof(*fact));
		if (load_pin(s, pin, fact, err) < 0)
			return -1;
		map_set(s->facts.pins, p->id, fact);
	}
	for (size_t i = 0; i < s->recipe.n_targets; i++) {
		const struct recipe_target *t = &s->recipe.targets[i];
		const json_t *verdict = lock_verdict(s->lock, s->recipe.name, t->triple);

		if (verdict && t->ship && str_eq(json_str_or(verdict, "ship", ""), t->ship))
			map_set(s->facts.verdicts, t->triple, (void *)verdict);
	}
	return 0;
}

/* The toolchains that the lock pins must be the ones that were read. */
static int check_toolchains(struct session *s, struct err *err)
{
	json_t *file;
	size_t i;

	json_array_foreach (json_object_get(s->document, "files"), i, file) {
		const char *path = json_str_or(file, "path", "");
		_cleanup_free_ char *name = NULL;
		const char *pinned;

		if (!strstr(path, "toolchains/") || !str_ends(path, ".yaml"))
			continue;
		name = str_dup_n(path_base(path), strlen(path_base(path)) - strlen(".yaml"));
		pinned = lock_toolchain(s->lock, name);
		if (!pinned || s->update || strstr(pinned, json_str_or(file, "sha256", "?")))
			continue;
		err_set(err, ERR_INPUT, "%s pins the toolchain %s with SHA-256 %s, but %s has %s",
		        s->lock_path, name, pinned, path, json_str_or(file, "sha256", "?"));
		return err_hint(err, "look at what changed in it; `kiln lock` accepts it");
	}
	return 0;
}

/* An upgrade of Kiln may change what a recipe means: never without a word. */
static void check_library(struct session *s)
{
	const char *pinned = lock_library(s->lock);
	struct digest ours;

	if (!pinned || s->update)
		return;
	embedded_digest(&ours);
	if (!str_eq(pinned, DIGEST_TEXT(&ours)))
		print_note(s->cli,
		           "kiln: warning: %s was written with another library of pipelines, "
		           "toolchains and images than this Kiln's: the release may differ; `kiln "
		           "lock` pins this one",
		           s->lock_path);
}

/* A lock that was named and is not there must not mean "nothing is pinned". */
static int check_lock(const struct session *s, struct err *err)
{
	if (s->has_lock || s->update || !s->lock_must_be)
		return 0;
	err_set(err, ERR_INPUT, "there is no lock %s", s->lock_path);
	return err_hint(err, "write one: kiln lock --lock %s", s->lock_path);
}

int session_prepare(struct session *s, struct err *err)
{
	if (check_lock(s, err) < 0)
		return -1;
	s->facts.arch = image_machine_arch();
	if (!s->facts.arch)
		return err_set(err, ERR_MACHINE,
		               "this machine's architecture is not one of Debian's; Kiln's images "
		               "cannot run here");
	/* Whoever will run stages learns what the machine lacks before anything is fetched. */
	if (s->cli->runs_stages && session_choose_runtime(s, err) < 0)
		return -1;
	snapshots_trust(s);
	if (fetch_surely(s, false, err) < 0)
		return -1;
	if (heldout_check(store_blobs(s->store), &s->recipe, &s->facts, err) < 0)
		return -1;
	if (fill_values(s, err) < 0 || check_toolchains(s, err) < 0 || ensure_images(s, err) < 0)
		return -1;
	if (fetch_surely(s, true, err) < 0)
		return -1;
	check_library(s);
	s->facts.branch_stacks = profiler_probe(&s->facts.profiler);
	return read_pins(s, err);
}
