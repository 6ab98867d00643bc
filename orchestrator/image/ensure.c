/*
 * Looks an image up, or makes it under a lock: resolve, fetch, install, unpack aside, compare,
 * rename into place. The completion marker is written last, after a sync: a folder without one is
 * rubbish and is made anew.
 */
#include "image/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"
#include "external/crypto.h"
#include "host/clock.h"
#include "host/fs.h"
#include "host/lock.h"
#include "image/bootstrap.h"
#include "image/fetch.h"
#include "image/place.h"
#include "image/section.h"

enum { MANIFEST_MOST = 256 << 20, STATUS_MOST = 64 << 20, FACT_MOST = 16 << 20 };

struct ensure {
	struct store *store;
	const struct image_request *request;
	struct log *log;
	struct image_definition definition;
	struct image_section section;
	bool pinned; /* the section is the lock's */
	bool known;  /* there is a section */
	bool now;    /* it was resolved by this call */
	char *resolved_on;
	char *fact_name; /* container digest and architecture */
};

void image_deinit(struct image *image)
{
	free(image->root_path);
	free(image->resolved_on);
	json_cleanup(&image->lock_section);
	*image = (struct image){ 0 };
}

static void ensure_deinit(struct ensure *ensure)
{
	image_definition_deinit(&ensure->definition);
	image_section_deinit(&ensure->section);
	free(ensure->resolved_on);
	free(ensure->fact_name);
}

/* "20260131T142703Z", as snapshot archives write it. */
static char *time_now(void)
{
	time_t now = (time_t)(clock_wall_us() / 1000000);
	struct tm tm;

	gmtime_r(&now, &tm);
	return str_fmt("%04d%02d%02dT%02d%02d%02dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
	               tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* The day of such a time for people: "2026-01-31". */
static char *day_of(const char *time)
{
	return str_fmt("%.4s-%.2s-%.2s", time, time + 4, time + 6);
}

/* The lock's section, or an earlier answer of the archive, where there is one. */
static int know_section(struct ensure *ensure, struct err *err)
{
	const struct image_request *request = ensure->request;
	_cleanup_free_ char *what = NULL, *text = NULL;
	_cleanup_json_ json_t *fact = NULL;
	struct err ignored = ERR_INIT;
	const json_t *section = request->lock;
	int rc = 0;

	if (!section && !request->update) {
		rc = store_get_fact(ensure->store, "image", ensure->fact_name, &text, err);
		if (rc < 0)
			return -1;
		if (rc == 0 && json_parse(text, strlen(text), "resolution", &fact, &ignored) == 0)
			section = json_object_get(fact, "lock");
	}
	if (!section)
		return 0;
	ensure->pinned = request->lock != NULL;
	what = ensure->pinned ? str_fmt("kiln.lock: images.%s.%s", request->name, request->arch) :
	                        str_fmt("the resolution of image %s", request->name);
	if (image_section_read(&ensure->section, &ensure->definition, section, what,
	                       ensure->pinned ? err : &ignored) < 0)
		return ensure->pinned ? -1 : 0;
	/* An answer that does not say when it was given is asked for again. */
	ensure->known = ensure->pinned || ensure->section.resolved;
	if (ensure->known && !ensure->pinned)
		ensure->resolved_on = day_of(ensure->section.resolved);
	return 0;
}

static bool is_there(struct ensure *ensure)
{
	_cleanup_json_ json_t *section = NULL;

	if (!ensure->known)
		return false;
	section = image_section_write(&ensure->section, &ensure->definition);
	return image_place_has(ensure->store, &ensure->section.tree, section);
}

static int remember(struct ensure *ensure, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(FACT_MOST);
	_cleanup_json_ json_t *fact = json_object();

	json_object_set_new(fact, "schema", json_string("kiln.image.resolution/1"));
	json_object_set_new(fact, "name", json_string(ensure->request->name));
	json_object_set_new(fact, "lock",
	                    image_section_write(&ensure->section, &ensure->definition));
	json_write_canonical(fact, &text);
	return store_put_fact(ensure->store, "image", ensure->fact_name, buf_text(&text), err);
}

static void fill(struct ensure *ensure, struct image *ret)
{
	*ret = (struct image){
		.tree = ensure->section.tree,
		.root_path = image_place_root(ensure->store, &ensure->section.tree),
		.lock_section = image_section_write(&ensure->section, &ensure->definition),
		.resolved_now = ensure->now,
		.resolved_on = steal(ensure->resolved_on),
	};
}

static int add_files(struct ensure *ensure, struct image_unpack *unpack, struct err *err)
{
	struct blobs *blobs = store_blobs(ensure->store);

	for (size_t i = 0; i < ensure->definition.files.n; i++) {
		const struct image_file *file = &ensure->definition.files.v[i];
		_cleanup_fd_ int fd = -1;
		int rc = blobs_open_fd(blobs, &ensure->section.files.list.v[i].ref, &fd, err);

		if (rc == BLOBS_MISS)
			return err_set(err, ERR_IO, "the package %s is no longer in the store",
			               file->deb);
		if (rc < 0 ||
		    image_unpack_deb_file(unpack, fd, file->deb, file->path, file->to, err) < 0)
			return -1;
	}
	return image_unpack_fixed(unpack, err);
}

/* The whole tree below an open folder; its digest and manifest. */
static int make_tree(struct ensure *ensure, int root, const char *scratch,
                     struct image_place_info *info, struct err *err)
{
	const struct bootstrap bootstrap = {
		.suite = ensure->definition.suite,
		.architectures = ensure->definition.architectures.v,
		.packages = &ensure->section.packages,
		.scratch = scratch,
	};
	_cleanup_buf_ struct buf manifest = BUF_INIT(MANIFEST_MOST), status = BUF_INIT(STATUS_MOST);
	struct unpacker unpacker;
	struct image_tree tree;
	struct image_unpack unpack = { &unpacker, &tree, &status, NULL };
	int rc;

	image_place_unpacker(&unpacker, root);
	image_tree_init(&tree);
	rc = bootstrap_run(store_blobs(ensure->store), &bootstrap, &unpack, ensure->log, err);
	if (rc == 0)
		rc = add_files(ensure, &unpack, err);
	if (rc == 0)
		rc = unpacker_finish(&unpacker, err);
	if (rc == 0)
		rc = image_section_installed(&ensure->section, buf_str(&status), err);
	if (rc == 0) {
		image_tree_manifest(&tree, &manifest);
		bug_on(manifest.overflow);
		digest_of(manifest.p, manifest.n, &info->tree);
		rc = blobs_put(store_blobs(ensure->store), manifest.p, manifest.n, &info->manifest,
		               err);
		for (size_t i = 0; i < tree.nodes.n; i++)
			info->bytes += tree.nodes.v[i].ref.size;
		info->nodes = tree.nodes.n;
	}
	image_tree_deinit(&tree);
	unpacker_deinit(&unpacker);
	return rc;
}

/* The tree is made; it must be the one the lock names. */
static int check_tree(struct ensure *ensure, const struct digest *tree, struct err *err)
{
	const char *name = ensure->request->name;

	if (digest_is_none(&ensure->section.tree) || digest_eq(&ensure->section.tree, tree))
		return 0;
	if (!ensure->pinned) {
		log_say(ensure->log, LOG_WARN,
		        "image %s: the same packages gave another tree than on "
		        "%s (sha256:%s)",
		        name, ensure->resolved_on, DIGEST_TEXT(tree));
		return 0;
	}
	err_set(err, ERR_INPUT,
	        "image %s: kiln.lock pins the tree sha256:%s, but its packages gave "
	        "sha256:%s",
	        name, DIGEST_TEXT(&ensure->section.tree), DIGEST_TEXT(tree));
	return err_hint(err,
	                "every package had its pinned digest, so the bootstrap differs: compare "
	                "the versions of mmdebstrap and dpkg with those of the machine that wrote "
	                "the lock, or write the lock anew: kiln lock");
}

static bool same_members(const json_t *a, const json_t *b)
{
	static const char *const names[] = { "container", "packages", "files", NULL };

	for (size_t i = 0; names[i]; i++)
		if (!json_equal(json_object_get(a, names[i]), json_object_get(b, names[i])))
			return false;
	return true;
}

/*
 * What was resolved just now may be what an image here is made of already: the same packages give
 * the same tree, so it need not be made again. Sets the section's tree. An imported image does not
 * count: that its packages give its tree is what somebody's file says; a lock that names the tree
 * says so too, but here nobody does.
 */
static bool made_before(struct ensure *ensure)
{
	_cleanup_json_ json_t *wanted = image_section_write(&ensure->section, &ensure->definition);
	struct image_entries entries = { 0 };
	struct err ignored = ERR_INIT;
	bool found = false;

	if (image_list(ensure->store, &entries, &ignored) < 0)
		return false;
	for (size_t i = 0; i < entries.list.n && !found; i++) {
		const struct image_entry *entry = &entries.list.v[i];

		found = json_is_false(json_object_get(entry->info, "imported")) &&
		        same_members(json_object_get(entry->info, "lock"), wanted) &&
		        digest_parse(entry->hex, &ensure->section.tree);
	}
	image_entries_deinit(&entries);
	return found;
}

/* Brings the packages, installs them, and puts the image in place. */
static int make(struct ensure *ensure, struct image_source *source, const char *fresh, int root,
                struct err *err)
{
	struct image_place_info info = { .name = ensure->request->name,
		                         .arch = ensure->request->arch,
		                         .container = ensure->definition.json };
	_cleanup_json_ json_t *section = NULL;

	if (!ensure->known) {
		if (image_resolve(source, &ensure->section, err) < 0)
			return -1;
		ensure->known = ensure->now = true;
		ensure->section.resolved = time_now();
		ensure->resolved_on = day_of(ensure->section.resolved);
		if (made_before(ensure))
			return 0;
	}
	if (image_fetch(store_blobs(ensure->store), source, &ensure->section, err) < 0 ||
	    make_tree(ensure, root, source->scratch, &info, err) < 0 ||
	    check_tree(ensure, &info.tree, err) < 0)
		return -1;
	ensure->section.tree = info.tree;
	section = image_section_write(&ensure->section, &ensure->definition);
	info.section = section;
	image_source_deinit(source);
	if (fs_remove_tree(AT_FDCWD, source->scratch, err) < 0)
		return -1;
	return image_place(ensure->store, fresh, root, &info, err);
}

/* Under the lock: from what the section says (or today's archive) to a placed image. */
static int build(struct ensure *ensure, const char *fresh, struct err *err)
{
	_cleanup_free_ char *root_path = path_join(fresh, "root");
	_cleanup_free_ char *scratch = path_join(fresh, "scratch");
	struct image_source source = {
		&ensure->definition,      scratch,     ensure->request->mirror,
		ensure->request->offline, ensure->log, NULL
	};
	_cleanup_fd_ int root = -1;
	int rc;

	if (bootstrap_check(scratch, err) < 0 || fs_make_dirs(AT_FDCWD, root_path, 0755, err) < 0 ||
	    fs_make_dirs(AT_FDCWD, scratch, 0700, err) < 0 ||
	    fs_must(fs_open_dir(AT_FDCWD, root_path, &root, err), root_path, err) < 0)
		return -1;
	rc = make(ensure, &source, fresh, root, err);
	image_source_deinit(&source);
	if (rc < 0)
		return -1;
	return ensure->pinned ? 0 : remember(ensure, err);
}

static int build_locked(struct ensure *ensure, struct err *err)
{
	_cleanup_free_ char *locks = path_join(store_dir(ensure->store), "locks");
	_cleanup_free_ char *file =
		str_fmt("%s/image-%s-%s", locks, DIGEST_TEXT(&ensure->definition.digest),
	                ensure->request->arch);
	_cleanup_free_ char *fresh =
		str_fmt("%s/images/.new-%s-%s", store_dir(ensure->store),
	                DIGEST_TEXT(&ensure->definition.digest), ensure->request->arch);
	_cleanup_fd_ int lock = -1;
	struct err ignored = ERR_INIT;
	int rc;

	if (fs_make_dirs(AT_FDCWD, locks, 0700, err) < 0)
		return -1;
	rc = lock_file(AT_FDCWD, file, true, false, &lock, err);
	if (rc == LOCK_BUSY) {
		log_say(ensure->log, LOG_NOTE, "waiting for another kiln that builds image %s",
		        ensure->request->name);
		rc = lock_file(AT_FDCWD, file, true, true, &lock, err);
	}
	if (rc < 0)
		return -1;
	if (!ensure->known && know_section(ensure, err) < 0)
		return -1;
	if (is_there(ensure))
		return 0;
	rc = fs_remove_tree(AT_FDCWD, fresh, err); /* what a killed process left */
	if (rc == 0)
		rc = build(ensure, fresh, err);
	fs_remove_tree(AT_FDCWD, fresh, &ignored);
	return rc < 0 ? err_while(err, "making image %s", ensure->request->name) : 0;
}

static void note_use(struct store *store, const struct digest *tree)
{
	_cleanup_free_ char *what = str_fmt("image %s", DIGEST_TEXT(tree));

	store_note_use(store, what);
}

int image_ensure(struct store *store, const struct image_request *request, struct log *log,
                 struct image *ret, struct err *err)
{
	struct image_request own = *request;
	struct ensure ensure = { .store = store, .request = &own, .log = log };
	int rc;

	if (!own.arch)
		own.arch = image_machine_arch();
	if (!own.arch)
		return err_set(err, ERR_MACHINE,
		               "Debian has no name for this machine's architecture");
	if (image_definition_init(&ensure.definition, own.name, own.container, own.arch, err) < 0)
		return -1;
	ensure.fact_name = str_fmt("%s/%s", DIGEST_TEXT(&ensure.definition.digest), own.arch);
	rc = know_section(&ensure, err);
	if (rc == 0 && !is_there(&ensure))
		rc = build_locked(&ensure, err);
	if (rc == 0)
		fill(&ensure, ret);
	if (rc == 0)
		note_use(store, &ret->tree);
	ensure_deinit(&ensure);
	return rc;
}
